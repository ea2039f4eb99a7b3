# SPDX-License-Identifier: Apache-2.0
"""Checkpoints written to disk, and wiped, as root."""

import json
import os
import shutil
import subprocess
from contextlib import ExitStack, suppress
from errno import EIO, ETIMEDOUT
from pathlib import Path

from novadocker.virt.docker.checkpoint import criu, timers
from novadocker.virt.docker.checkpoint.places import (
    CHECKPOINTS,
    IMAGES,
    LOGS,
    directory_of,
    handover_of,
    leaving_of,
    record_of,
    refuse_container,
)
from novadocker.virt.docker.checkpoint.privileged.context import entrypoint
from novadocker.virt.docker.privileged import namespace

PROC = Path("/proc")
LOG_BYTES = 64 * 1024
# As at the restore, see novadocker.checkpoint.runtime.
HOW = ("--leave-running", "--tcp-established", "--file-locks", "--empty-ns", "network")
_BLOCK = bytes(1 << 20)


@entrypoint
def free_bytes() -> int:
    """Return the bytes that are free for checkpoints."""
    CHECKPOINTS.mkdir(mode=0o755, parents=True, exist_ok=True)
    return shutil.disk_usage(CHECKPOINTS).free


@entrypoint
def dump(uuid: str, pid: int, container_id: str, program: str, seconds: int) -> int:
    """Write the checkpoint of a frozen container; the container stays as it is.

    A failure leaves nothing. Success is durable: the checkpoint survives a loss of power.

    Args:
        uuid: Nova's id of the server.
        pid: first process of the container.
        container_id: engine's id of the container.
        program: path of CRIU.
        seconds: time limit.

    Returns:
        Size in bytes.

    Raises:
        OSError: the container could not be checkpointed, and why by CRIU's log.
    """
    directory = directory_of(uuid)
    with ExitStack() as undo:
        images = _dump(directory, undo, pid, container_id, program, seconds)
        size = _open_to_restored_root(images)
        for file in (*images.iterdir(), images):
            _sync(file)
        undo.pop_all()
    return size


@entrypoint
def dump_to_leave(uuid: str, pid: int, container_id: str, program: str, seconds: int) -> int:
    """Write the memory of a frozen container that goes to another host.

    A failure leaves nothing. What is written is no checkpoint of this host's, and does not
    survive a loss of power: the container itself is still here then.

    Args:
        uuid: Nova's id of the server.
        pid: first process of the container.
        container_id: engine's id of the container.
        program: path of CRIU.
        seconds: time limit.

    Returns:
        Size in bytes.

    Raises:
        OSError: the container could not be checkpointed, and why by CRIU's log.
    """
    with ExitStack() as undo:
        images = _dump(leaving_of(uuid), undo, pid, container_id, program, seconds)
        size = sum(file.stat().st_size for file in images.iterdir())
        undo.pop_all()
    return size


@entrypoint
def discard_leaving(uuid: str) -> None:
    """Overwrite and remove the memory of a server that went to another host. Idempotent.

    Args:
        uuid: Nova's id of the server.
    """
    _wipe(leaving_of(uuid))


@entrypoint
def make_room(uuid: str) -> str:
    """Make an empty directory for the memory of a server from another host.

    Args:
        uuid: Nova's id of the server.

    Returns:
        Path of the directory.
    """
    record_of(uuid).unlink(missing_ok=True)
    directory = directory_of(uuid)
    _wipe(directory)
    directory.mkdir(mode=0o700, parents=True)
    (directory / IMAGES).mkdir(mode=0o700)
    return str(directory / IMAGES)


@entrypoint
def accept(uuid: str) -> int:
    """Let the memory of a server from another host be restored.

    Args:
        uuid: Nova's id of the server.

    Returns:
        Size in bytes.
    """
    return _open_to_restored_root(directory_of(uuid) / IMAGES)


@entrypoint
def keep_handover(uuid: str, text: str) -> None:
    """Note durably that a server was handed over to another host.

    Args:
        uuid: Nova's id of the server.
        text: content; "" removes the note.
    """
    if text:
        _keep(handover_of(uuid), text)
    else:
        handover_of(uuid).unlink(missing_ok=True)
        _sync(CHECKPOINTS)


@entrypoint
def keep_record(uuid: str, text: str) -> None:
    """Write the record of a complete checkpoint, durably and all at once.

    Args:
        uuid: Nova's id of the server.
        text: content.
    """
    _keep(record_of(uuid), text)


def _dump(
    directory: Path, undo: ExitStack, pid: int, container_id: str, program: str, seconds: int
) -> Path:
    refuse_container(container_id)
    _wipe(directory)
    (directory / LOGS).mkdir(mode=0o700, parents=True)
    undo.callback(_wipe, directory)
    images = directory / IMAGES
    images.mkdir(mode=0o700)
    with namespace.held(pid, container_id):
        root = _runtime_root(pid, container_id)
    logs = directory / LOGS
    _configure(logs)
    paths = ("--image-path", str(images), "--work-path", str(logs))
    words = ("runc", "--root", root, "checkpoint", *HOW, *paths, container_id)
    environment = {"PATH": criu.path_with(program), "HOME": str(logs)}
    _run(words, environment, logs / "dump.log", seconds)
    _arm_timers(images / "files.img")
    return images


def _keep(record: Path, text: str) -> None:
    fresh = record.with_name(f"{record.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
    fresh.replace(record)
    _sync(record.parent)


@entrypoint
def discard(uuid: str) -> None:
    """Remove the record of a checkpoint, then overwrite and remove its content. Idempotent.

    Args:
        uuid: Nova's id of the server.
    """
    # The record first: half a checkpoint with a record would be taken for a whole one.
    record_of(uuid).unlink(missing_ok=True)
    _wipe(directory_of(uuid))


def _runtime_root(pid: int, container_id: str) -> str:
    # The shim is the parent of the first process and works in the bundle, which says where the
    # runtime keeps its state. No name of a runtime or option of the engine tells it as surely.
    status = (PROC / str(pid) / "status").read_text()
    parent = next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:"))
    bundle = (PROC / parent / "cwd").readlink()
    if bundle.name != container_id:
        raise OSError(EIO, f"process {parent} does not look after container {container_id}")
    options = json.loads((bundle / "options.json").read_text())
    return str(Path(options["root"]) / bundle.parent.name)


def _configure(home: Path) -> None:
    # runc has no option for it. A connection that a program has not accepted yet cannot be
    # dumped; without this, one of them would keep the whole server from it.
    (home / ".criu").mkdir(mode=0o700)
    (home / ".criu/default.conf").write_text("skip-in-flight\n")


def _run(words: tuple[str, ...], changes: dict[str, str], log: Path, seconds: int) -> None:
    environment = {**os.environ, **changes}
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(ETIMEDOUT, f"the checkpoint took longer than {seconds} s") from error
    if done.returncode:
        raise OSError(EIO, criu.reason(_tail(log)) or done.stderr.decode(errors="replace")[-500:])


def _tail(log: Path) -> str:
    with suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")
    return ""


def _arm_timers(path: Path) -> None:
    try:
        path.write_bytes(timers.armed(path.read_bytes()))
    except ValueError as error:
        raise OSError(EIO, str(error)) from error


def _open_to_restored_root(images: Path) -> int:
    # The restored root, no user of this host, reads them by a directory that CRIU has opened.
    # By name nobody but root gets below the parent.
    images.chmod(0o755)
    size = 0
    for file in images.iterdir():
        file.chmod(0o644)
        size += file.stat().st_size
    return size


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _wipe(directory: Path) -> None:
    # Overwritten, since pages of a tenant's memory would else wait in free blocks.
    for file in directory.glob(f"{IMAGES}/*"):
        if file.is_file() and not file.is_symlink():
            with file.open("r+b") as content:
                for _ in range(0, file.stat().st_size, len(_BLOCK)):
                    content.write(_BLOCK)
    if directory.exists():
        shutil.rmtree(directory)
