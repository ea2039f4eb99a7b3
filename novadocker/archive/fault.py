# SPDX-License-Identifier: Apache-2.0
"""Fault of an unsound archive, as the modules of this package raise it."""

_SHOWN = 100


class Fault(Exception):
    """Fault of an archive; ``CheckedArchive`` adds the name of the image.

    Args:
        reason: member and fault, in words.
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
    """Return a tenant's text in a form fit for a message.

    Args:
        text: a member's name, a tag, a digest: anything, of any length.

    Returns:
        It in quotes, printable ASCII, shortened.
    """
    shown = ascii(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
