# SPDX-License-Identifier: Apache-2.0
"""The rights of a server, told to its tenant: in words inside of it, and as tags in Nova. Pure."""

from collections.abc import Iterator

from novadocker.policy import BASELINE, Line, Settings

FILE = "rights"  # beside the gate, where the container sees it
PROFILE, CAPABILITY = "docker_profile=", "docker_cap="
PREFIXES = (PROFILE, CAPABILITY)
MOST_CHARACTERS = 60  # of a tag in Nova
TITLE = "What this server may use and do, who says so, and why:"


def words(settings: Settings) -> str:
    """Write them for people.

    Args:
        settings: the server's.

    Returns:
        A line for each, after a title.
    """
    return "\n".join((TITLE, *map(_line, settings.lines))) + "\n"


def tags(settings: Settings) -> frozenset[str]:
    """Write them as tags, by which servers can be listed.

    Args:
        settings: the server's.

    Returns:
        The profile, and each capability that an ordinary server has not.
    """
    return frozenset(each[:MOST_CHARACTERS] for each in _tags(settings))


def _tags(settings: Settings) -> Iterator[str]:
    yield f"{PROFILE}{settings.profile}"
    for name in sorted({*settings.capabilities} - BASELINE.capabilities):
        yield f"{CAPABILITY}{name}"


def _line(line: Line) -> str:
    return f"{line.setting}: {line.value} ({line.source}: {line.why})"
