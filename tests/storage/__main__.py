# SPDX-License-Identifier: Apache-2.0
"""``./test storage [pytest arguments]``: volumes over iSCSI, in a kernel of its own.

Debian's user-mode-linux is a stock kernel that runs as a process, with the device mapper, SCSI
and iSCSI that a machine for tests may lack. It sees the files of this machine below an overlay
in its memory, so that nothing of them changes.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from novadocker.cloud.machine import apt, lock

CACHE = Path("/var/cache/novadocker/storage")
TREE = Path(__file__).resolve().parents[2]
# The kernel and its modules, the initiator, and what os-brick asks for devices.
PACKAGES = (
    "user-mode-linux",
    "open-iscsi",
    "libopeniscsiusr",
    "libisns0",
    "lsscsi",
    "sg3-utils",
    "libsgutils2-1.46-2",
    "udev",
)
MEMORY = "1G"
PATIENCE = 900


def main() -> int:
    """Run the tests in there and return pytest's exit code."""
    with lock.awaited("storage"):
        tools = _tools()
    # The kernel's memory is a file of this directory; one on a disk would make it slow.
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/dev/shm") as scratch:
        _run(tools, Path(scratch), sys.argv[1:])
        code = Path(scratch) / "code"
        return int(code.read_text()) if code.exists() else 1


def _tools() -> Path:
    """Return the packages' files, unpacked, none of which is installed."""
    tools = CACHE / "tools"
    if not tools.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch) / "made"
            for package in apt.download_all(PACKAGES, Path(scratch)):
                subprocess.run(["dpkg", "--extract", str(package), str(made)], check=True)
            made.rename(tools)
    return tools


def _run(tools: Path, scratch: Path, arguments: list[str]) -> None:
    # Small: each program that os-brick runs begins as a copy of this process, which costs there.
    # So without tests/conftest.py, which imports Nova, and quiets the warnings of others.
    small = ("--confcutdir=tests/storage", "-p", "no:cacheprovider", "-W", "ignore")
    words = [sys.executable, "-m", "pytest", *small, *arguments]
    if not any(each.startswith("tests/") for each in arguments):
        words.append("tests/storage")
    (scratch / "command").write_text(shlex.join(words))
    kernel = [
        str(tools / "usr/bin/linux.uml"),
        f"mem={MEMORY}",
        "root=/dev/root",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"init={Path(__file__).with_name('init.sh')}",
        "quiet",
        "con0=null,fd:1",
        "con=null",
        f"uml_dir={scratch}",
        f"nd_tools={tools}",
        f"nd_scratch={scratch}",
        f"nd_tree={TREE}",
    ]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        kernel, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
    ) as process:
        try:
            process.wait(PATIENCE)
        finally:
            # It has a process of this machine for each of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
