# SPDX-License-Identifier: Apache-2.0
"""Capabilities of the daemon for volumes, and the decorator of its functions.

oslo.privsep starts it by ``[novadocker_volumes_privileged] helper_command``, else by ``sudo``.
It is apart from the daemon of the wiring: neither needs the rights of the other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from oslo_privsep import capabilities, priv_context


def _has(capability: int) -> bool:
    """Return whether a process here can have a capability at all; some machines keep one back."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    bounds = next(line for line in lines if line.startswith("CapBnd:"))
    return bool(int(bounds.split()[1], 16) >> int(capability) & 1)


RIGHTS = [
    capabilities.CAP_SYS_ADMIN,  # mounts, mount namespaces, loop devices
    capabilities.CAP_SYS_CHROOT,  # entry to a mount namespace
    capabilities.CAP_SYS_PTRACE,  # descriptors of another user's process, for holders' names
    capabilities.CAP_DAC_OVERRIDE,  # directories of any user of a container
    capabilities.CAP_DAC_READ_SEARCH,  # as above
    capabilities.CAP_SETUID,  # directories made as the container's root; sandboxed programs
    capabilities.CAP_SETGID,  # as above
    capabilities.CAP_SETPCAP,  # sandboxed programs lose all rights
    capabilities.CAP_CHOWN,  # a device node for them
    capabilities.CAP_MKNOD,  # as above
    capabilities.CAP_KILL,  # their end after too long a time
]
if _has(capabilities.CAP_SYS_RESOURCE):  # else the daemon would not start
    RIGHTS.append(capabilities.CAP_SYS_RESOURCE)  # growth of a mounted ext4

context = priv_context.PrivContext(
    "novadocker",
    cfg_section="novadocker_volumes_privileged",
    pypath=f"{__name__}.context",
    capabilities=RIGHTS,
)

_Call = TypeVar("_Call", bound=Callable[..., Any])

# oslo.privsep has no types: what it returns takes and gives the same as what it was given
entrypoint: Callable[[_Call], _Call] = context.entrypoint


@entrypoint
def ready() -> bool:
    """Do nothing: the call has started the daemon.

    Returns:
        True.
    """
    return True
