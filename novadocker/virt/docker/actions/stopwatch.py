# SPDX-License-Identifier: Apache-2.0
"""How long the parts of one operation took."""

import time

from novadocker.virt.docker.telemetry import action


class Stopwatch:
    """Starts when it is made; each mark ends a part and begins the next."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.parts: dict[str, float] = {}

    def mark(self, part: str) -> None:
        """End a part.

        Args:
            part: name of the part; seconds of equal names add up.
        """
        now = time.monotonic()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        action.note_part(part, now - self._last)
        self._last = now

    def __str__(self) -> str:
        return " ".join(f"{part}={seconds:.4f}" for part, seconds in self.parts.items())
