# SPDX-License-Identifier: Apache-2.0
"""How the parts of this package say that an archive is unsound."""

_SHOWN = 100


class Fault(Exception):
    """One thing wrong with an archive; ``CheckedArchive`` adds which image it is.

    Args:
        reason: which member, and what is wrong with it.
    """


class TooLarge(Fault):
    """The layers unpack to more than they may.

    Args:
        reason: see ``Fault``.
        limit: bytes that they may unpack to.
    """

    def __init__(self, reason: str, limit: int) -> None:
        super().__init__(reason)
        self.limit = limit


def quoted(text: str | bytes) -> str:
    """Return what a tenant wrote so that it can stand in a message.

    Args:
        text: a member's name, a tag, a digest: anything, of any length.

    Returns:
        It in quotes, printable ASCII, shortened.
    """
    shown = ascii(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
