# SPDX-License-Identifier: Apache-2.0
"""Budget of an image's layers in work, names and bytes; beyond it the image is refused."""

from dataclasses import dataclass
from typing import Self

from novadocker.archive.bounds import Bounds
from novadocker.archive.fault import Fault, TooLarge

_STEPS_OF_MEMBER = 8


@dataclass
class Budget:
    """Remaining allowance of an image, shared by all of its layers.

    Attributes:
        bounds: the whole allowance, for messages.
        unpacked: bytes of content.
        entries: files, directories and links.
        steps: pieces of work, without those that the content that passed has earned.
        earned: steps that the content has earned so far.
    """

    bounds: Bounds
    unpacked: int
    entries: int
    steps: int
    earned: int = 0

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        """Return the allowance of a whole image."""
        return cls(bounds, bounds.unpacked, bounds.entries, bounds.steps)

    def spend_member(self) -> None:
        """Count a file, directory or link that the layer brings.

        Raises:
            Fault: the image has too many.
        """
        self.entries -= 1
        self.steps -= _STEPS_OF_MEMBER
        if self.entries < 0 or self.steps < 0:
            self._look_again()

    def spend_entry(self) -> None:
        """Count a directory made by engines as the parent of a member.

        Raises:
            Fault: the image has too many.
        """
        self.entries -= 1
        if self.entries < 0:
            self._look_again()

    def spend_steps(self, count: int) -> None:
        """Count steps of work.

        Args:
            count: steps; see ``Bounds``.

        Raises:
            Fault: the image costs too many.
        """
        self.steps -= count
        if self.steps < 0:
            self._look_again()

    def spend_bytes(self, what: str, count: int) -> None:
        """Count bytes of a layer's content.

        Args:
            what: the layer, for messages.
            count: bytes.

        Raises:
            TooLarge: the image unpacks to too many.
        """
        self.unpacked -= count
        if self.unpacked < 0:
            most = self.bounds.unpacked
            raise TooLarge(
                f"{what} takes the image over the size that it may unpack to, {most} bytes", most
            )

    def _look_again(self) -> None:
        if self.entries < 0:
            raise Fault(f"with it the image has more than {self.bounds.entries} files")
        # Looked at only here, so that a member costs no more than a subtraction.
        passed = self.bounds.unpacked - self.unpacked
        earned = passed // self.bounds.bytes_a_step
        self.steps += earned - self.earned
        self.earned = earned
        if self.steps < 0:
            raise Fault(
                f"with it the image takes more than {self.bounds.steps} steps to look at, and one "
                f"more for each {self.bounds.bytes_a_step} bytes: members, directories on the way "
                "to them, symbolic links passed, records of extended headers, gzip members, zstd "
                "frames"
            )
