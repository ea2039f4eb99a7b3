# SPDX-License-Identifier: Apache-2.0
"""Docker Engine of a test run's own: prepared, started, stopped, and nothing of it left."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
import pytest
import tenacity

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.machine.command import Command
from novadocker.cloud.underlay import engine


@contextmanager
def prepared() -> Iterator[EnginePaths]:
    """Make the directories of an engine; the end removes containers and directories."""
    # Short, because of the sockets' paths, and not in /tmp, which may be kept in memory.
    root = Path(tempfile.mkdtemp(prefix="nd-", dir="/var/tmp"))
    root.chmod(0o711)
    paths = EnginePaths(data=root / "data", run=root / "run")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        stack.callback(engine.sweep, paths)
        yield paths


@contextmanager
def serving(paths: EnginePaths) -> Iterator[str]:
    """Run containerd and dockerd, the first in PATH, and yield the engine's version.

    Containers outlive the end, and the next engine at the same paths finds them.
    """
    engine.prepare(paths)
    containerd, dockerd = engine.commands(paths)
    with ExitStack() as stack:
        for command, socket in ((containerd, paths.containerd_socket), (dockerd, paths.socket)):
            log = paths.data.parent / f"{command.name}.log"
            socket.unlink(missing_ok=True)  # of an engine that was here before
            _wait_for(socket, _start(command, log, stack), log)
        client = docker.DockerClient(base_url=paths.url, version="auto", timeout=30)
        stack.callback(client.close)
        yield str(client.version()["Version"]).partition("+")[0]


def _start(command: Command, log: Path, stack: ExitStack) -> subprocess.Popen[bytes]:
    out = stack.enter_context(log.open("ab"))
    process = subprocess.Popen(command.argv, stdout=out, stderr=subprocess.STDOUT)
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(0.1), reraise=True
    ):
        with attempt:
            if process.poll() is not None:
                pytest.exit(f"{log.stem} ended:\n{log.read_text()[-3000:]}", returncode=1)
            assert socket.exists()
