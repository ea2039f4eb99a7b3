# SPDX-License-Identifier: Apache-2.0
"""A stock kernel as a process: Debian's user-mode Linux with the machine's programs.

Everything of a distribution's kernel that containers stand on is there (control groups v2,
AppArmor, quotas of XFS, Open vSwitch, VLANs), on one processor and without a virtual machine.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.machine import apt, debian_release, lock, packages
from novadocker.cloud.machine.command import run

_HERE = Path(__file__).parent
_RELEASE = "forky"  # the first with a kernel whose seccomp mode makes page faults cheap
_PACKAGES = ("user-mode-linux", "libc6")
_TOOLS = ("apparmor", "libapparmor1")  # of the machine's own release, to run on its libraries
_MEMORY = "4G"
_DISK_BYTES = 12 * 2**30


@dataclass(frozen=True)
class Kernel:
    """A kernel that runs as a program.

    Attributes:
        program: path of the kernel.
        modules: folder with "lib/modules".
    """

    program: Path
    modules: Path

    @property
    def version(self) -> str:
        """Version, such as "7.2.7"."""
        (found,) = (self.modules / "lib/modules").iterdir()
        return found.name


def kernel() -> Kernel:
    """Return the kernel, fetched at the first time."""
    unpacked = debian_release.unpacked(_RELEASE, _PACKAGES)
    program, modules = unpacked.root / "kernel/linux", unpacked.root / "kernel"
    with lock.awaited("kernel"):
        if not program.exists():
            (modules / "lib").mkdir(parents=True, exist_ok=True)
            shutil.copytree(unpacked.root / "usr/lib/uml/modules", modules / "lib/modules")
            new = shutil.copy(unpacked.root / "usr/bin/linux.uml", program.with_suffix(".new"))
            unpacked.patch(Path(new))
            Path(new).rename(program)
    return Kernel(program, modules)


def run_in_guest(
    argv: tuple[str, ...], out: Path, patience: float, variables: Mapping[str, str]
) -> int:
    """Run a program of the machine's in a guest and return the exit status.

    Args:
        argv: the program, with absolute paths; it starts in this folder.
        out: empty folder, which the guest has at ``/out``; the output gets into "log".
        patience: seconds until the guest is ended.
        variables: environment of the program.
    """
    words = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    words += [f"cd {shlex.quote(str(Path.cwd()))}", shlex.join(argv)]
    (out / "command").write_text("\n".join(words) + "\n")
    disk = _disk(out)
    # The guest's memory is a file in this folder, which should itself be memory.
    env = {**os.environ, "TMPDIR": "/dev/shm"}
    with (out / "console").open("wb") as console:
        guest = subprocess.Popen(
            _command(disk, out),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
        try:
            guest.wait(patience)
        finally:
            # A process for each address space, and all of them in one group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(guest.pid, signal.SIGKILL)
            disk.unlink()
    status = out / "status"
    return int(status.read_text()) if status.exists() else 1


def _disk(out: Path) -> Path:
    packages.ensure({"mkfs.xfs": "xfsprogs"})
    # A sparse file on the machine's disk: images and containers are not for its memory.
    disk = out / "disk"
    with disk.open("wb") as file:
        file.truncate(_DISK_BYTES)
    run("mkfs.xfs", "-q", str(disk))
    return disk


def _command(disk: Path, out: Path) -> tuple[str, ...]:
    used, tools = kernel(), debian_release.unpacked(apt.codename(), _TOOLS)
    return (
        str(used.program),
        f"mem={_MEMORY}",
        *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"),
        f"init={_HERE / 'init.sh'}",
        "seccomp=on",
        # Debian's kernels have AppArmor, and this one does not begin with it.
        *("lsm=apparmor", "security=apparmor", "apparmor=1"),
        *("con0=null,fd:1", "con=null"),
        f"ubda={disk}",
        f"umid=novadocker-{os.getpid()}",
        f"uml_dir={out}/",
        f"MODULES={used.modules}",
        f"STAGE2={_HERE / 'stage2.sh'}",
        f"TOOLS={tools.root}",
        f"OUT={out}",
    )
