# SPDX-License-Identifier: Apache-2.0
"""Rights of a server for its tenant: words in a file of the server, and tags in Nova. Pure."""

from collections.abc import Iterator

from novadocker.policy import BASELINE, Explained, Settings

FILE = "rights"  # beside the gate, where the container sees it
PROFILE, CAPABILITY = "docker_profile=", "docker_cap="
PREFIXES = (PROFILE, CAPABILITY)
MOST_CHARACTERS = 60  # of a tag in Nova
TITLE = "What this server may use and do, who says so, and why:"


def words(settings: Settings) -> str:
    """Write a server's rights and limits for people.

    Args:
        settings: settings of the server, with their explanations.

    Returns:
        A title, then one line a setting.
    """
    return "\n".join((TITLE, *map(_line, settings.explanations))) + "\n"


def tags(settings: Settings) -> frozenset[str]:
    """Write a server's rights as tags, for lists of servers.

    Args:
        settings: settings of the server.

    Returns:
        The profile, and each capability beyond an ordinary server's.
    """
    return frozenset(each[:MOST_CHARACTERS] for each in _tags(settings))


def _tags(settings: Settings) -> Iterator[str]:
    yield f"{PROFILE}{settings.profile}"
    for name in sorted({*settings.rights.capabilities} - BASELINE.capabilities):
        yield f"{CAPABILITY}{name}"


def _line(each: Explained) -> str:
    return f"{each.setting}: {each.value} ({each.source}: {each.why})"
