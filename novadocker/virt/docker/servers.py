# SPDX-License-Identifier: Apache-2.0
"""What all that is done to one host's servers stands on, and one lock for each of them."""

from contextlib import AbstractContextManager
from typing import Any

from oslo_concurrency import lockutils

from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.network import Networking
from novadocker.virt.docker.options import Options
from novadocker.virt.docker.rescue import Rescue
from novadocker.virt.docker.runner import Runner
from novadocker.virt.docker.wiring import Wiring

LOCK_PREFIX = "novadocker-"


class Servers:
    """The servers of one host, to which its subclasses do one kind of thing each.

    Args:
        engine: runs the containers.
        wiring: joins them to their ports.
        options: set by the operator.
    """

    def __init__(self, engine: Engine, wiring: Wiring, options: Options) -> None:
        self._engine = engine
        self._networking = Networking(
            wiring,
            options.domain,
            options.dns_servers,
            metadata_by_dhcp=options.metadata_by_dhcp,
        )
        self._runner = Runner(engine, self._networking, options)
        self._rescue = Rescue(self._runner, self._networking)
        self._options = options


def lock(uuid: str) -> AbstractContextManager[Any]:
    """Let nobody else here change a server meanwhile.

    Args:
        uuid: of the instance.

    Returns:
        A context that waits until it is the only one.
    """
    # Nova holds a lock named by the bare id around most of its calls to us.
    held: AbstractContextManager[Any] = lockutils.lock(f"{LOCK_PREFIX}{uuid}")
    return held
