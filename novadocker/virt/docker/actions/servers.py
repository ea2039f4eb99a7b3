# SPDX-License-Identifier: Apache-2.0
"""What all that is done to one host's servers stands on, and one lock for each of them."""

from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.network.networking import Networking
from novadocker.virt.docker.wiring import Wiring


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
