# SPDX-License-Identifier: Apache-2.0
"""Name acceptable to Docker, made of a name in Glance."""

import re

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)"
_REFERENCE = re.compile(
    rf"{_HOST}?{_COMPONENT}(?:/{_COMPONENT})*(?::[\w][\w.-]{{0,127}})?", re.ASCII
)
_LATEST = "latest"
_LONGEST = 200


def is_sound(text: str) -> bool:
    """Say whether Docker takes a name with or without a tag.

    Args:
        text: the name.
    """
    return bool(_REFERENCE.fullmatch(text)) and len(text) <= _LONGEST


def of_name(name: str, otherwise: str) -> str:
    """Return a name with a tag.

    Args:
        name: name of any characters.
        otherwise: name to take where none of them can stay.
    """
    if not is_sound(name):
        name = re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST].strip("-") or otherwise
    return name if _has_tag(name) else f"{name}:{_LATEST}"


def _has_tag(name: str) -> bool:
    return ":" in name.rpartition("/")[2]
