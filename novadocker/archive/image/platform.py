# SPDX-License-Identifier: Apache-2.0
"""Platforms: images that a host's processor and kernel can run, and the best of several."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from novadocker.archive.fault import Fault, quoted

_T = TypeVar("_T")

# What the kernel calls a processor, and what an image's config does.
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "ppc64le": ("ppc64le", ""),
    "s390x": ("s390x", ""),
    "riscv64": ("riscv64", ""),
    "loongarch64": ("loong64", ""),
}
# What an image means that names no variant: containerd's platforms.Normalize.
_USUAL = {"amd64": "v1", "arm": "v7", "arm64": "v8"}
_VARIANT = re.compile(r"v(\d{1,3})(?:\.(\d{1,3}))?")
# The levels of the x86-64 psABI, by the kernel's names; each needs the ones before it.
_LEVELS = {
    "v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "v3": {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"},
    "v4": {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"},
}


@dataclass(frozen=True)
class Platform:
    """Operating system and processor architecture, as an image's config names them.

    Attributes:
        architecture: in Go's words.
        os: likewise.
        variant: version of the architecture, such as "v7"; empty for the usual version.
    """

    architecture: str
    os: str = "linux"
    variant: str = ""

    @classmethod
    def of_machine(cls, machine: str, flags: Collection[str] = ()) -> Self:
        """Translate the kernel's word.

        Args:
            machine: as ``uname -m`` says it.
            flags: abilities of an x86 processor, as in proc(5).

        Returns:
            The platform of images that run on it.
        """
        architecture, variant = _ARCHITECTURES.get(machine, (machine, ""))
        if architecture == "amd64":
            variant = _level(flags)
        return cls(architecture, variant=variant)

    def runs(self, image: Self) -> bool:
        """Say whether a host of this platform runs an image.

        Args:
            image: platform of the image; later processors run programs for earlier processors.
        """
        if (self.architecture, self.os) != (image.architecture, image.os):
            return False
        return image.rank in range(self.rank + 1) if image.rank else self.variant == image.variant

    @property
    def rank(self) -> int:
        """Rank of the variant within the architecture; 0 for an unknown variant."""
        variant = self.variant or _USUAL.get(self.architecture, "")
        level = _VARIANT.fullmatch(variant)
        return 1000 * int(level[1]) + int(level[2] or 0) if level else 0

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}/{self.architecture}{variant}"


def best(offers: Mapping[_T, Platform], host: Platform) -> list[_T]:
    """Choose among images.

    Args:
        offers: platforms of the images to choose from.
        host: where one is to run.

    Returns:
        The one that suits the host best; several where they are made for the same.

    Raises:
        Fault: none of them runs there.
    """
    fitting = [offer for offer, made_for in offers.items() if host.runs(made_for)]
    if not fitting:
        made_for = ", ".join(sorted({quoted(str(each)) for each in offers.values()}))
        raise Fault(f"it is made for {made_for}; {host} is wanted: {elsewhere(host)}")
    rank = max(offers[offer].rank for offer in fitting)
    return [offer for offer in fitting if offers[offer].rank == rank]


def elsewhere(host: Platform) -> str:
    """Return how an image for a host's platform is come by.

    Args:
        host: platform of the host.
    """
    return f"pull or build it with --platform {host.os}/{host.architecture} and save it again"


def _level(flags: Collection[str]) -> str:
    reached = ""
    for level, needed in _LEVELS.items():
        if not needed <= set(flags):
            break
        reached = level
    return reached
