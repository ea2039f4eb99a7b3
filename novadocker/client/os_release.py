# SPDX-License-Identifier: Apache-2.0
"""Distribution inside an image, by os-release(5)."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

# The first that is there counts; /etc/os-release is a link to the other in most images.
PATHS = ("etc/os-release", "usr/lib/os-release")

_WORD = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Release:
    """A distribution; empty where unknown.

    Attributes:
        distro: "debian", say.
        version: "12", say; rolling distributions have none.
    """

    distro: str = ""
    version: str = ""


def of_files(files: Mapping[str, bytes]) -> Release:
    """Read the release from files of an image.

    Args:
        files: contents by path.
    """
    for path in PATHS:
        if path in files:
            return parse(files[path].decode(errors="replace"))
    return Release()


def parse(text: str) -> Release:
    """Read an os-release file.

    Args:
        text: content of the file; any text is allowed.

    Returns:
        What it says in words that are possible.
    """
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return Release(_word(fields.get("ID", "")), _word(fields.get("VERSION_ID", "")))


def _word(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError:  # quotes that are not closed
        return ""
    word = words[0].lower() if len(words) == 1 else ""
    return word if _WORD.fullmatch(word) else ""
