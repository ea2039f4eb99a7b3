# SPDX-License-Identifier: Apache-2.0
"""Remains of ended processes on a machine: children, mounts, cgroups.

All of it is found by names and paths that only we use, so nothing of others is touched.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import tenacity

from novadocker.cloud.errors import StateRefused

CGROUPS = Path("/sys/fs/cgroup")
_BOUND_SECONDS = 10


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to processes; ended processes are left out."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill processes and wait for the end."""
    found = list(processes)
    send(found, signal.SIGKILL)
    psutil.wait_procs(found, timeout=_BOUND_SECONDS)


def end_cgroup(name: str) -> None:
    """Kill every process in the cgroups below a parent."""
    kill(_existing(_cgroup_pids(name)))


def remove_cgroup(name: str) -> None:
    """Remove the emptied cgroups below a parent, and the parent."""
    for root in cgroup_roots(name):
        below = sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True)
        for directory in (*below, root):
            _remove_cgroup_directory(directory)


def end_shims(address: Path, state: Path) -> None:
    """Kill the shims of a containerd and remove the shims' sockets.

    Args:
        address: the socket on which that containerd listens.
        state: containerd's state directory, where each bundle names the shim's socket. The shims
            put these below /run/containerd whatever containerd is told.
    """
    kill(shims(address))
    for bundle in state.glob("io.containerd.runtime.v2.task/*/*/address"):
        Path(bundle.read_text().strip().removeprefix("unix://")).unlink(missing_ok=True)


def shims(address: Path) -> Iterator[psutil.Process]:
    """Yield the shims of the containerd at an address."""
    for process in psutil.process_iter(["cmdline"]):
        argv = process.info["cmdline"] or []
        if argv and "containerd-shim" in argv[0] and str(address) in argv:
            yield process


def unmount_below(directory: Path) -> None:
    """Unmount everything below a directory, the innermost first."""
    for mount in reversed(mounts_below(directory)):
        # Lazily: the last user of a dead container's root may still be on its way out.
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


def remove_tree(directory: Path) -> None:
    """Remove a directory; refuse while something is mounted below.

    Unmounting may fail, and a deletion that goes on through a mount reaches others' files. A
    directory that is a mount point itself is emptied and stays.
    """
    if mounts := mounts_below(directory):
        reason = f"still mounted below it, so nothing is removed: {', '.join(mounts)}"
        raise StateRefused(path=directory, reason=reason)
    if not directory.exists():
        return
    if not directory.is_mount():
        shutil.rmtree(directory)
        return
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def mounts_below(directory: Path) -> list[str]:
    """Return the mount points below a directory, in the order of mounting."""
    # The kernel lists mount points by their real paths.
    prefix = f"{directory.resolve()}/"
    mounts = [entry.mountpoint for entry in psutil.disk_partitions(all=True)]
    return [mount for mount in mounts if mount.startswith(prefix)]


def cgroup_roots(name: str) -> list[Path]:
    """Return the directories of a parent cgroup, one for each hierarchy."""
    # cgroup v2 has one tree, v1 one for each controller.
    candidates = (CGROUPS / name, *(tree / name for tree in CGROUPS.iterdir()))
    return [path for path in candidates if path.is_dir()]


def _cgroup_pids(name: str) -> set[int]:
    return {
        int(line)
        for root in cgroup_roots(name)
        for procs in root.rglob("cgroup.procs")
        for line in procs.read_text().split()
    }


def _existing(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        try:
            yield psutil.Process(pid)
        except psutil.NoSuchProcess:
            continue


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(OSError),
    stop=tenacity.stop_after_delay(2),
    wait=tenacity.wait_fixed(0.05),
    reraise=True,
)
def _remove_cgroup_directory(directory: Path) -> None:
    # Busy for a moment after the last process is gone.
    try:
        directory.rmdir()
    except FileNotFoundError:
        return
