# SPDX-License-Identifier: Apache-2.0
"""Wait of a boot for its plugged ports: for their flows on this host, or for Neutron's events."""

import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import ExitStack
from typing import NoReturn, Self

import nova.conf
from nova import exception
from oslo_log import log as logging

from novadocker import errors
from novadocker.virt.nova_types import Instance, Vif, VirtAPI

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
_PAUSE = 0.025  # seconds between two looks, which cost some 0.1 ms each


def unknown(_vif: Vif) -> bool:
    """Return False: no agent on this host says when a port's flows are in place."""
    return False


class PlugEvents:
    """Context of listening for Neutron's events of a server's ports; ``wait`` awaits the events.

    Nova's own context waits at its end. Here the wait is a call, so that the code that plugs
    shows where it waits. A fault before the wait ends the listening without one.

    Neutron's event is late news where the network's agent on this host says itself that a
    port's flows are in place: it goes from the agent by the database to Neutron, and by Nova's
    API back to this host. The wait ends with whichever comes first; an event that is still to
    come is heard by a thread, and logged where it never comes.

    Args:
        virtapi: Nova's side, which waits.
        instance: the server in Nova.
        vifs: ports whose events come.
        installed: tells at once that a port's flows are in place.
    """

    def __init__(
        self,
        virtapi: VirtAPI,
        instance: Instance,
        vifs: Sequence[Vif],
        installed: Callable[[Vif], bool] = unknown,
    ) -> None:
        self._virtapi = virtapi
        self._instance = instance
        self._vifs = vifs
        self._installed = installed
        self._listening = ExitStack()

    def __enter__(self) -> Self:
        # Entered before the plugging: an event that comes earlier is lost.
        self._listening.enter_context(
            self._virtapi.wait_for_instance_event(
                self._instance,
                [("network-vif-plugged", vif["id"]) for vif in self._vifs],
                timeout=CONF.vif_plugging_timeout,
                error_callback=plugging_failed,
            )
        )
        return self

    def __exit__(self, *fault: object) -> None:
        self._listening.__exit__(*fault)  # type: ignore[arg-type]

    def wait(self) -> None:
        """Return when all ports are up, or when a late event is not fatal.

        Raises:
            PlugTimeout: an event did not come in time, nor were the flows in place.
            WiringError: Neutron failed to plug a port.
        """
        if not self._vifs:
            self._listening.close()
            return
        events = self._heard_by_a_thread()
        while not futures.wait([events], timeout=_PAUSE).done:
            if all(self._installed(vif) for vif in self._vifs):
                events.add_done_callback(self._tell_of_late_events)
                return
        try:
            events.result()
        except exception.InstanceEventTimeout as error:
            late = errors.PlugTimeout(port=self._ports, seconds=CONF.vif_plugging_timeout)
            # The operator's choice: the wiring itself is done by now.
            if CONF.vif_plugging_is_fatal:
                raise late from error
            LOG.warning(
                "%s; going on, as vif_plugging_is_fatal is off", late, instance=self._instance
            )

    @property
    def _ports(self) -> str:
        return ", ".join(vif["id"] for vif in self._vifs)

    def _heard_by_a_thread(self) -> futures.Future[None]:
        heard: futures.Future[None] = futures.Future()

        def hear() -> None:
            try:
                self._listening.close()
            except Exception as error:  # noqa: BLE001 - it is raised, or logged, by who waits
                heard.set_exception(error)
            else:
                heard.set_result(None)

        threading.Thread(target=hear, name="plug-events", daemon=True).start()
        return heard

    def _tell_of_late_events(self, events: futures.Future[None]) -> None:
        fault = events.exception()
        if fault is not None:
            # No fault of the server's: it has its network. Nova ends the wait of deleted ones.
            LOG.warning(
                "Flows of port %s were in place, but Neutron did not report it as plugged: %s",
                self._ports,
                fault or type(fault).__name__,
                instance=self._instance,
            )


def plugging_failed(event_name: str, _instance: Instance) -> NoReturn:
    """End the wait: Neutron says that a port could not be plugged.

    Args:
        event_name: Nova's name of the event, with the port's id.
    """
    port = event_name.removeprefix("network-vif-plugged-")
    raise errors.WiringError(port=port, reason="Neutron failed to plug it")
