# SPDX-License-Identifier: Apache-2.0
"""Hatchling's build hook: compiles the start gate, and so makes a wheel for one platform."""

import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path(__file__).parent / "gate.c"
PROGRAM = Path(__file__).parent / "gate"


def compile_gate(program: Path = PROGRAM) -> None:
    """Compile the gate as a static program that runs in any Linux image.

    Args:
        program: where it is put.

    Raises:
        subprocess.CalledProcessError: the compiler refused; its words are on stderr.
        FileNotFoundError: there is no ``cc``.
    """
    flags = ["-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror", "-std=gnu11"]
    subprocess.run(["cc", *flags, "-o", program, SOURCE], check=True)


class GateBuildHook(BuildHookInterface[Any]):
    """Puts the compiled gate into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Compile the gate, and mark the wheel as made for this kind of machine.

        Args:
            version: "standard" or "editable".
            build_data: hatchling's account of the wheel, changed in place.
        """
        if self.target_name != "wheel":
            return
        compile_gate()
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
