# SPDX-License-Identifier: Apache-2.0
"""An engine of our own for the whole session, and nothing of it left afterwards."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import docker
import pytest
import tenacity

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.machine import packages
from novadocker.cloud.machine.command import Command
from novadocker.cloud.underlay import engine

RunningEngine = Callable[[], AbstractContextManager[EnginePaths]]


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """The engine and the switch: this suite may be the first on a machine."""
    packages.ensure()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start(command: Command, log: Path, stack: ExitStack) -> subprocess.Popen[bytes]:
    out = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(command.argv, stdout=out, stderr=subprocess.STDOUT)
    stack.callback(_stop, process)
    return process


def _wait_for(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(0.1), reraise=True
    ):
        with attempt:
            if process.poll() is not None:
                pytest.exit(f"{log.stem} ended:\n{log.read_text()[-3000:]}", returncode=1)
            assert socket.exists()


@contextmanager
def _running_engine() -> Iterator[EnginePaths]:
    # Short, because of the sockets' paths, and not in /tmp, which may be kept in memory.
    root = Path(tempfile.mkdtemp(prefix="nd-", dir="/var/tmp"))
    root.chmod(0o711)
    paths = EnginePaths(data=root / "data", run=root / "run")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        stack.callback(engine.sweep, paths)
        engine.prepare(paths)
        containerd, dockerd = engine.commands(paths)
        log = root / "containerd.log"
        _wait_for(paths.containerd_socket, _start(containerd, log, stack), log)
        log = root / "dockerd.log"
        _wait_for(paths.socket, _start(dockerd, log, stack), log)
        client = docker.DockerClient(base_url=paths.url, version="auto", timeout=30)
        stack.callback(client.close)
        client.ping()
        yield paths


@pytest.fixture(scope="session")
def engine_socket() -> Iterator[Path]:
    """The Unix socket of a Docker Engine that has user namespaces and no network of its own."""
    with _running_engine() as paths:
        yield paths.socket


@pytest.fixture
def running_engine() -> RunningEngine:
    """How to run a further engine, for a test that wants to see it end."""
    return _running_engine
