# SPDX-License-Identifier: Apache-2.0
"""Capabilities of the daemon for checkpoints, and the decorator of its functions.

oslo.privsep starts it by ``[novadocker_checkpoint_privileged] helper_command``, else by
``sudo``. It is apart from the other daemons, which need no rights of a debugger. runc and CRIU
are started by it as root, with all rights of root.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from oslo_privsep import capabilities, priv_context

context = priv_context.PrivContext(
    "novadocker",
    cfg_section="novadocker_checkpoint_privileged",
    pypath=f"{__name__}.context",
    capabilities=[
        capabilities.CAP_SYS_ADMIN,  # what a killed CRIU left mounted; quotas of control groups
        capabilities.CAP_SYS_PTRACE,  # states of another user's processes
        capabilities.CAP_DAC_OVERRIDE,  # bundles of the engine
        capabilities.CAP_DAC_READ_SEARCH,  # as above
        capabilities.CAP_CHOWN,  # the driver's directory of a restore
        capabilities.CAP_KILL,  # a CRIU that does not end
        capabilities.CAP_NET_RAW,  # the frame by which a network notices that a server has moved
    ],
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
