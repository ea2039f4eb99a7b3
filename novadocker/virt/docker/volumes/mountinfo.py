# SPDX-License-Identifier: Apache-2.0
"""Mounts of a process, as ``/proc/PID/mountinfo`` lists them. Pure."""

import re

_ESCAPED = re.compile(rb"\\([0-7]{3})")


def places_of(text: bytes, major: int, minor: int) -> list[str]:
    """Return where a device is mounted.

    Args:
        text: content of the file.
        major: number of the device's kind.
        minor: number of the device.

    Returns:
        Mount points as the process sees them, the oldest first.
    """
    wanted = f"{major}:{minor}".encode()
    fields = (line.split(b" ") for line in text.splitlines())
    return [_plain(each[4]) for each in fields if each[2] == wanted]


def _plain(point: bytes) -> str:
    """Undo the kernel's escapes of spaces, tabs, newlines and backslashes."""
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), point)
    return raw.decode(errors="surrogateescape")
