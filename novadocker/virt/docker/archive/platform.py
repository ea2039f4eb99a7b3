# SPDX-License-Identifier: Apache-2.0
"""Which images a host's processor and kernel can run."""

import platform
from dataclasses import dataclass
from typing import Self

# What the kernel calls a processor, and what an image's config does.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}


@dataclass(frozen=True)
class Platform:
    """Operating system and processor architecture, as an image's config names them."""

    architecture: str
    os: str = "linux"

    @classmethod
    def of_machine(cls, machine: str) -> Self:
        """Translate the kernel's word.

        Args:
            machine: as ``uname -m`` says it.

        Returns:
            The platform of images that run on it.
        """
        return cls(_ARCHITECTURES.get(machine, machine))

    @classmethod
    def of_host(cls) -> Self:
        """Return the platform of this machine."""
        return cls.of_machine(platform.machine())

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"
