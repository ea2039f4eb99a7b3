# SPDX-License-Identifier: Apache-2.0
"""Trial of CRIU on this host: a process with a TCP connection, dumped and restored as root."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from novadocker.virt.docker.checkpoint import criu
from novadocker.virt.docker.checkpoint.privileged.context import entrypoint

# ``criu check`` does not notice a kernel whose sockets this CRIU cannot read.
_PROCESS = """
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
print("ready", flush=True)
nothing = os.open("/dev/null", os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(nothing, number)
os.close(nothing)
while True:
    time.sleep(60)
"""
_HOW = ("--tcp-established", "--network-lock", "skip")


@entrypoint
def attempt(program: str, seconds: int) -> str:
    """Dump a process of our own, and restore it.

    Args:
        program: path of CRIU.
        seconds: time limit of each step.

    Returns:
        Reason of a failure; "" where it works.
    """
    with tempfile.TemporaryDirectory(prefix="novadocker-criu-") as made:
        place = Path(made)
        words = (sys.executable, "-I", "-S", "-c", _PROCESS)
        with subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        ) as process:
            try:
                return _try(program, process, place, seconds)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()


def _try(program: str, process: "subprocess.Popen[bytes]", place: Path, seconds: int) -> str:
    if process.stdout is None or process.stdout.readline() != b"ready\n":
        return "the process of the trial did not start"
    process.stdout.close()
    dump = ("dump", "--tree", str(process.pid))
    if reason := _run(program, dump, place, "dump.log", seconds):
        return reason
    process.wait(seconds)
    pid = place / "pid"
    restore = ("restore", "--restore-detached", "--pidfile", str(pid))
    if reason := _run(program, restore, place, "restore.log", seconds):
        return reason
    os.kill(int(pid.read_text()), signal.SIGKILL)
    return ""


def _run(program: str, words: tuple[str, ...], place: Path, log: str, seconds: int) -> str:
    options = (*_HOW, "--images-dir", str(place), "--log-file", log)
    try:
        done = subprocess.run(
            (program, *words, *options), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{words[0]} took longer than {seconds} s"
    if not done.returncode:
        return ""
    file = place / log
    told = file.read_text(errors="replace") if file.exists() else ""
    return f"{words[0]}: {criu.reason(told) or done.stderr.decode(errors='replace')[-300:]}"
