# SPDX-License-Identifier: Apache-2.0
"""Features of the host's processors as traits; containers run on the processors themselves."""

import platform
from pathlib import Path

from novadocker.archive import Platform

CPUINFO = Path("/proc/cpuinfo")
_PREFIX = "HW_CPU_X86_"
# The kernel's name of a feature where it is not that of the trait in lower case. What only a
# hypervisor could use (vmx, svm, sev) is not here: a container cannot.
_RENAMED = {
    "CLMUL": "pclmulqdq",
    "FMA3": "fma",
    "SSE3": "pni",
    "SSE41": "sse4_1",
    "SSE42": "sse4_2",
    "AVX512VNNI": "avx512_vnni",
    "AVX512VBMI2": "avx512_vbmi2",
    "AVX512BITALG": "avx512_bitalg",
    "AVX512VAES": "vaes",
    "AVX512GFNI": "gfni",
    "AVX512VPCLMULQDQ": "vpclmulqdq",
    "AVX512VPOPCNTDQ": "avx512_vpopcntdq",
    "BMI": "bmi1",
    "AESNI": "aes",
    "SHA": "sha_ni",
    "TSX": "rtm",
    "AMXBF16": "amx_bf16",
    "AMXINT8": "amx_int8",
    "AMXTILE": "amx_tile",
}
_SAME = (
    "3DNOW",
    "ABM",
    "AVX",
    "AVX2",
    "AVX512BW",
    "AVX512CD",
    "AVX512DQ",
    "AVX512ER",
    "AVX512F",
    "AVX512IFMA",
    "AVX512PF",
    "AVX512VBMI",
    "AVX512VL",
    "BMI2",
    "F16C",
    "FMA4",
    "MMX",
    "MPX",
    "SSE",
    "SSE2",
    "SSE4A",
    "SSSE3",
    "TBM",
    "XOP",
)
FEATURES = {_PREFIX + name: name.lower() for name in _SAME} | {
    _PREFIX + name: flag for name, flag in _RENAMED.items()
}


def flags(cpuinfo: str | None = None) -> frozenset[str]:
    """Return the kernel's names of the processors' features.

    Args:
        cpuinfo: as in proc(5); None reads this host's.
    """
    text = CPUINFO.read_text() if cpuinfo is None else cpuinfo
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


def traits(cpuinfo: str | None = None) -> dict[str, bool]:
    """Return the traits of the processors.

    Args:
        cpuinfo: as in proc(5); None reads this host's.

    Returns:
        All traits that we speak of, and whether the processors have them.
    """
    has = flags(cpuinfo)
    return {trait: flag in has for trait, flag in FEATURES.items()}


def platform_of_host() -> Platform:
    """Return the platform of this machine.

    Returns:
        Operating system, architecture and variant, as an image's config names them.
    """
    return Platform.of_machine(platform.machine(), flags())
