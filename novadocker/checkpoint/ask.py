# SPDX-License-Identifier: Apache-2.0
"""One question to the driver in the middle of a restore: ``ask.py DIRECTORY wire|resume``.

Run by its path and with ``-I -S``, since the server stands still meanwhile: nothing but the
standard library is imported. A driver that is away, or dies, is an answer too, and means no.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path

SOCKET = "driver/socket"
GO = "go"
SYSCTLS = Path("/proc/sys")
_CLONE_NEWNET = 0x40000000
_PATIENCE = 600.0


def main() -> int:
    """Ask, and obey.

    Returns:
        0 to go on. The first question fails the restore by 1; a failure at the second would be
        passed over by CRIU, so the restored processes are killed there.
    """
    directory, word = Path(sys.argv[1]), sys.argv[2]
    pid = _wire() if word == "wire" else int(os.environ["CRTOOLS_INIT_PID"])
    if _answer(directory, {"word": word, "pid": pid}) == GO:
        return 0
    if word == "resume":
        os.kill(pid, signal.SIGKILL)
        os.kill(os.getppid(), signal.SIGKILL)  # CRIU, which would wait for that process for ever
    return 1


def _wire() -> int:
    # runc applies a container's sysctls when it makes namespaces; these were made by CRIU.
    state = json.load(sys.stdin)
    pid = int(state["pid"])
    spec = json.loads((Path(state["bundle"]) / "config.json").read_text())
    wanted = spec.get("linux", {}).get("sysctl") or {}
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, value in wanted.items():
        if name.startswith("net."):
            (SYSCTLS / name.replace(".", "/")).write_text(value)
    return pid


def _answer(directory: Path, question: dict[str, object]) -> str:
    try:
        with socket.socket(socket.AF_UNIX) as driver:
            driver.settimeout(_PATIENCE)
            driver.connect(str(directory / SOCKET))
            driver.sendall(json.dumps(question).encode() + b"\n")
            return driver.makefile().readline().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
