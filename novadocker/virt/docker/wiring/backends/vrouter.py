# SPDX-License-Identifier: Apache-2.0
"""Ports of Contrail, Tungsten Fabric and OpenSDN: announced to the vRouter agent of the host.

The agent puts the host end into the VRF of its virtual network; which that is, and all the
rest, it has from its control node. A port has a file besides, from which the agent has it when
it starts.
"""

import re
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

import os_vif
from nova.network import os_vif_util
from oslo_log import log

from novadocker.errors import AgentError, AgentUnavailable, NotOnThisHost
from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.wiring import privileged, vrouter_files
from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.backends.vrouter_agent import Agent
from novadocker.virt.docker.wiring.backends.vrouter_port import Announcement
from novadocker.virt.docker.wiring.plan import Nic
from novadocker.virt.nova_types import Instance, Vif

LOG = log.getLogger(__name__)

# vrouter-port-control splits its arguments there, or changes its ways at a quotation mark.
_READ_AS_OPTIONS = re.compile(r'\s--|"')


class VRouter(Backend):
    """VIF type ``vrouter`` by the agent's REST port API.

    Contrail's Neutron plugin calls a port active as soon as it belongs to a server, and sends
    no news when it is plugged.

    Args:
        options: the operator's.
    """

    reports_plugged = False

    def __init__(self, options: VRouterOptions) -> None:
        self._options = options
        self._agent = Agent(options.agent_url, options.patience)
        self._owed: set[str] = set()  # ports that an agent which did not answer may still have
        self._lock = threading.Lock()

    def bind(self, instance: Instance, vif: Vif, nic: Nic) -> bool:
        """Write the port's file, and tell the agent.

        The agent keeps what it was told first, so anything that is different now is deleted
        before. While it is away the file is enough: it reads it when it starts.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            Whether its file did not say so.
        """
        port = Announcement.of(instance, vif, nic)
        is_new = not port.says_the_same(self._written(port.id))
        self._pay_debts(except_for=port.id)
        try:
            # The file before the call: an agent that dies in between reads the port at its start.
            if is_new:
                self._replace(port)
            self._agent.announce(port.text)
        except AgentUnavailable as error:
            LOG.warning("%s; it will have port %s from its file when it starts", error, port.id)
        return is_new

    def unbind(self, instance: Instance, vif: Vif) -> None:  # noqa: ARG002 - the contract's signature
        """Delete the port at the agent, and its file.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """
        self._forget(vif["id"])

    def remains(self, vif: Vif) -> bool:
        """Tell whether the port has a file.

        Args:
            vif: Nova's VIF.

        Returns:
            Whether it has.
        """
        return vrouter_files.left_over(self._options.ports_directory, vif["id"])

    def resume(self) -> None:
        """Announce all ports of the host again, and have the agent remove the rest.

        Every port that has a file is announced, others' too: an agent that is told to
        synchronize removes whatever is not, and other hypervisors' ports are none of ours.
        Ours whose host end is gone are of no server that runs.
        """
        is_there = self._begin_round(vrouter_files.names(self._options.ports_directory))
        # Listed again after the round began: what comes to be in between is of this round.
        for port in vrouter_files.names(self._options.ports_directory):
            written = self._written(port)
            try:
                if written and written.is_ours and not _exists(written.device):
                    LOG.info("Port %s of the vRouter is of no running server any more", port)
                    self._forget(port)
                elif written and is_there:
                    self._agent.announce(written.text)
            except AgentError as error:
                LOG.warning("Port %s of the vRouter was not announced again: %s", port, error)

    def warm_up(self) -> None:
        """See whether the agent is there.

        Raises:
            NotOnThisHost: nothing of a vRouter is.
        """
        if not self._options.ports_directory.exists():
            reason = f"there is no {self._options.ports_directory}"
            raise NotOnThisHost(vif_type="vrouter", reason=reason)
        self._agent.greet()

    def _begin_round(self, ports: Sequence[str]) -> bool:
        """Begin the agent's removal of unannounced ports; tell whether an agent answered."""
        unknown = [port for port in ports if self._written(port) is None]
        if unknown:  # they could not be announced again
            LOG.warning("No ports of the vRouter are removed: cannot read %s", ", ".join(unknown))
        try:
            if self._options.synchronize and not unknown:
                self._agent.begin_round()
        except AgentError as error:
            if ports:
                LOG.warning("Ports of the vRouter are not announced again: %s", error)
            return False
        return True

    def _written(self, port: str) -> Announcement | None:
        try:
            text = vrouter_files.read(self._options.ports_directory, port)
            return Announcement.parse(text) if text else None
        except (OSError, ValueError) as error:
            LOG.debug("The file of port %s cannot be used: %s", port, error)
            return None

    def _replace(self, port: Announcement) -> None:
        try:
            self._agent.forget(port.id, patiently=True)
        finally:  # it takes the file along, and one that is away will want it
            privileged.write_port_file(str(self._options.ports_directory), port.id, port.text)

    def _forget(self, port: str) -> None:
        self._forget_at_agent(port)
        if vrouter_files.left_over(self._options.ports_directory, port):
            privileged.remove_port_files(str(self._options.ports_directory), [port])

    def _forget_at_agent(self, port: str) -> None:
        try:
            self._agent.forget(port)
        except AgentUnavailable as error:
            # One that has ended knows nothing any more; one that only did not answer does.
            LOG.debug("Port %s: %s", port, error)
            with self._lock:
                self._owed.add(port)

    def _pay_debts(self, *, except_for: str) -> None:
        """Delete the ports left over from failed deletions, except one about to be announced."""
        with self._lock:
            self._owed.discard(except_for)
            for port in list(self._owed):
                try:
                    self._agent.forget(port)
                except AgentError:
                    return
                self._owed.discard(port)


class VRouterByOsVif(VRouter):
    """VIF type ``vrouter`` by the os-vif plugin of the distribution, which runs a script.

    Args:
        options: the operator's.
    """

    def bind(self, instance: Instance, vif: Vif, nic: Nic) -> bool:  # noqa: ARG002 - as above
        """Let the plugin announce the port.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            False: the plugin does not tell.

        Raises:
            ValueError: the script would take the server's name for options.
        """
        name = instance.display_name or instance.name
        if _READ_AS_OPTIONS.search(name):
            raise ValueError(
                f"vrouter-port-control would read options out of the server's name {name!r}; "
                "rename the server, or set vrouter_plug = agent in [docker]"
            )
        os_vif.plug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )
        return False

    def unbind(self, instance: Instance, vif: Vif) -> None:
        """Let the plugin delete the port.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """
        os_vif.unplug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )


def _exists(device: str) -> bool:
    with suppress(OSError):
        return bool(socket.if_nametoindex(device))
    return False
