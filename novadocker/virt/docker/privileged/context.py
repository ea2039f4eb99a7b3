# SPDX-License-Identifier: Apache-2.0
"""The privileged daemon: its capabilities, and the decorator of functions that run in it.

oslo.privsep starts it by ``[novadocker_privileged] helper_command`` (else by ``sudo``) and
leaves it only the capabilities named here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from oslo_privsep import capabilities, priv_context

context = priv_context.PrivContext(
    "novadocker",
    cfg_section="novadocker_privileged",
    pypath=f"{__name__}.context",
    capabilities=[
        capabilities.CAP_NET_ADMIN,  # links, addresses, routes, sysctls below net
        capabilities.CAP_SYS_ADMIN,  # to enter a namespace
        capabilities.CAP_CHOWN,  # a control group, for an init system
        capabilities.CAP_KILL,  # a shell of a console, whose user is a stranger here
        capabilities.CAP_DAC_READ_SEARCH,  # to list a container's files, which are other users'
        capabilities.CAP_SYS_PTRACE,  # to open another user's, on an engine that maps no users
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
