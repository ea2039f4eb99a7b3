# SPDX-License-Identifier: Apache-2.0
"""Privileged daemon of moves: it reads and writes containers' files on the host's disk.

A daemon of its own, for two reasons: it alone has the rights over all files, and a transfer
that takes minutes keeps no other privileged work waiting.
"""

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from oslo_privsep import capabilities, priv_context

from novadocker.virt.docker.files.amend import Amender
from novadocker.virt.docker.files.changing import ChangingPacker, RestPacker, Survey
from novadocker.virt.docker.files.owners import Owners, Root
from novadocker.virt.docker.files.pack import Packer
from novadocker.virt.docker.files.unpack import Incoming, Unpacker

_STAT_BLOCK = 512
_surveys: dict[str, Survey] = {}  # of directories whose rest is still to be sent

context = priv_context.PrivContext(
    "novadocker",
    cfg_section="novadocker_files_privileged",
    pypath=f"{__name__}.context",
    capabilities=[
        capabilities.CAP_DAC_OVERRIDE,  # files and directories that their owner has closed
        capabilities.CAP_DAC_READ_SEARCH,
        capabilities.CAP_CHOWN,
        capabilities.CAP_FOWNER,  # modes, times and access lists of others' files
        capabilities.CAP_FSETID,  # set-group-id bits, which a change of mode takes else
        capabilities.CAP_SETFCAP,
        capabilities.CAP_MKNOD,  # a file that an overlay hides is a device on the disk
        capabilities.CAP_SYS_ADMIN,  # attributes named "trusted."
    ],
)

_Call = TypeVar("_Call", bound=Callable[..., Any])

# oslo.privsep has no types: what it returns takes and gives the same as what it was given
entrypoint: Callable[[_Call], _Call] = context.entrypoint


@entrypoint
def ready() -> None:
    """Do nothing; the first call starts the daemon."""


@entrypoint
def send(directory: str, address: str) -> int:
    """Pack a directory into a socket.

    Args:
        directory: path on this host.
        address: path of a listening Unix socket.

    Returns:
        The number of records.
    """
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(address)
        return Packer(out).pack(directory)


@entrypoint
def receive(directory: str, address: str, source: tuple[int, int], here: tuple[int, int]) -> int:
    """Unpack a directory from a socket; former content is gone.

    Args:
        directory: path on this host.
        address: path of a listening Unix socket.
        source: user and group of the containers' root on the host that the files come from.
        here: user and group of the containers' root on this host.

    Returns:
        The number of records.
    """
    with socket.socket(socket.AF_UNIX) as incoming:
        incoming.connect(address)
        owners = Owners(Root(*source), Root(*here))
        return Unpacker(Incoming(incoming), owners).unpack(directory)


@entrypoint
def send_changing(directory: str, address: str) -> int:
    """Pack the directory of a running container into a socket, and remember what was read.

    Args:
        directory: path on this host.
        address: path of a listening Unix socket.

    Returns:
        The number of directories.
    """
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(address)
        found = ChangingPacker(out).survey(directory)
    _surveys[directory] = found
    return len(found.directories)


@entrypoint
def send_rest(directory: str, address: str) -> int:
    """Pack into a socket what has changed in a directory since ``send_changing``.

    Args:
        directory: path on this host; nobody writes to it.
        address: path of a listening Unix socket.

    Returns:
        The number of records.
    """
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(address)
        # A daemon that was started anew knows of no survey; then all of it has changed.
        return RestPacker(out, _surveys.pop(directory, Survey())).pack(directory)


@entrypoint
def forget(directory: str) -> None:
    """Forget what ``send_changing`` has read; safe to repeat.

    Args:
        directory: path on this host.
    """
    _surveys.pop(directory, None)


@entrypoint
def amend(directory: str, address: str, source: tuple[int, int], here: tuple[int, int]) -> int:
    """Bring a directory up to date by what has changed, from a socket.

    Args:
        directory: path on this host.
        address: path of a listening Unix socket.
        source: user and group of the containers' root on the host that the files come from.
        here: user and group of the containers' root on this host.

    Returns:
        The number of records.
    """
    with socket.socket(socket.AF_UNIX) as incoming:
        incoming.connect(address)
        owners = Owners(Root(*source), Root(*here))
        return Amender(Incoming(incoming), owners).unpack(directory)


@entrypoint
def copy(source: str, destination: str) -> int:
    """Copy a directory of this host over another; former content is gone.

    Args:
        source: path of the one that is read.
        destination: path of the one that is filled.

    Returns:
        The number of records.
    """
    near, far = socket.socketpair()
    faults: list[BaseException] = []

    def pack() -> None:
        with near:
            try:
                Packer(near).pack(source)
            except BaseException as fault:  # noqa: BLE001 - raised below, in the caller's thread
                faults.append(fault)

    packing = threading.Thread(target=pack, name="pack", daemon=True)
    packing.start()
    try:
        with far:
            return Unpacker(Incoming(far), Owners()).unpack(destination)
    except Exception:
        packing.join()
        # A reader that failed breaks the writer's pipe: its own fault is the first one then.
        if faults and not isinstance(faults[0], BrokenPipeError):
            raise faults[0] from None
        raise


@entrypoint
def measured(directory: str) -> int:
    """Measure a directory.

    Args:
        directory: path on this host.

    Returns:
        Bytes on the disk; holes are none.
    """
    size = 0
    for _, directories, files, inside in os.fwalk(directory):
        for name in (*directories, *files):
            size += os.stat(name, dir_fd=inside, follow_symlinks=False).st_blocks * _STAT_BLOCK
    return size
