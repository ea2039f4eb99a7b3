# SPDX-License-Identifier: Apache-2.0
"""Bring a container's network to its plan, and keep it there.

The order is the network's: whatever is stale is forgotten first, then the veth pairs are made
and the container's side settled in one privileged call, then the host ends are announced.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from nova.network import model
from os_vif.exception import ExceptionBase as OsVifError
from oslo_log import log
from oslo_privsep.daemon import FailedToDropPrivileges

from novadocker.errors import DockerDriverError, NotOnThisHost, WiringError
from novadocker.virt.docker.privileged import context
from novadocker.virt.docker.wiring import privileged
from novadocker.virt.docker.wiring.backends import Backend
from novadocker.virt.docker.wiring.plan import Nic, Plan, host_device
from novadocker.virt.docker.wiring.remarks import Remarks
from novadocker.virt.nova_types import Instance, Vif

LOG = log.getLogger(__name__)

_THIS_SERVERS = "of this server"
_AT_ONCE = 8  # ports of one server: os-vif and agents wait more than they work
_Result = TypeVar("_Result")


@dataclass
class Wired:
    """Report of one call.

    Attributes:
        changes: phrases for a log; none if all was as it should be.
        refused: parts of the plan that the kernel did not take, as sentences.
        seconds: the time of each part, by its name.
    """

    changes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the time of a block as a part's.

        Args:
            part: name of the part.

        Yields:
            Nothing.
        """
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - start


class Wiring:
    """Connector of containers and ports.

    Calls for different instances may run at once; for one instance, one at a time.

    Args:
        backends: backend of each VIF type.
    """

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        self._not_here: frozenset[str] = frozenset()
        self._remarks = Remarks()

    @property
    def vif_types(self) -> tuple[str, ...]:
        """VIF types with a backend."""
        return tuple(self._backends)

    @property
    def silent_vif_types(self) -> frozenset[str]:
        """VIF types without ``network-vif-plugged`` from Neutron."""
        return frozenset(
            vif_type for vif_type, backend in self._backends.items() if not backend.reports_plugged
        )

    def ensure_wired(
        self,
        instance: Instance,
        network_info: Iterable[Vif],
        plan: Plan,
        pid: int,
        container_id: str = "",
        *,
        fresh: bool = False,
        keep_others: bool = False,
    ) -> Wired:
        """Bring a running container's network to the plan. Idempotent.

        Args:
            instance: Nova's instance.
            network_info: VIFs from which the plan was made.
            plan: network to bring about.
            pid: the container's first process.
            container_id: the engine's id of the container; with it, a PID that has become
                another's is noticed.
            fresh: the container has just been started, so that none of it needs to be looked for.
            keep_others: interfaces of the driver's that are no longer planned stay.

        Returns:
            What was changed, and the time that it took.

        Raises:
            WiringError: it could not be done; call again, or ``unwire``.
        """
        vifs = {vif["id"]: vif for vif in network_info}
        nics = [dataclasses.asdict(nic) for nic in plan.nics]
        done = Wired()
        missing = [nic.port_id for nic in plan.nics]
        if not fresh:
            with done.timed("survey"), _wiring_errors(_THIS_SERVERS):
                missing = privileged.missing(pid, container_id, nics)
        with done.timed("unbind"):
            self._clear_away(instance, [vifs[port] for port in missing])
        with done.timed("join"), _wiring_errors(_THIS_SERVERS):
            outcome = privileged.join(pid, container_id, nics, keep_others=keep_others)
        done.changes += outcome["changes"]
        done.refused += outcome["refused"]
        with done.timed("bind"):
            done.changes += self._announce(instance, vifs, plan)
        _report(instance, done)
        self._remarks.tell(instance.uuid, [*plan.remarks, *done.refused])
        return done

    def joined(self, plan: Plan, pid: int, container_id: str = "") -> frozenset[str]:
        """List the ports joined to a running container; other faults of them do not count.

        Args:
            plan: the ports in question.
            pid: the container's first process.
            container_id: the engine's id of the container.

        Returns:
            Their ids.

        Raises:
            WiringError: it could not be looked at.
        """
        nics = [dataclasses.asdict(nic) for nic in plan.nics]
        with _wiring_errors(_THIS_SERVERS):
            missing = privileged.missing(pid, container_id, nics)
        return frozenset(nic.port_id for nic in plan.nics).difference(missing)

    def installed(self, vif: Vif) -> bool:
        """Tell from memory whether a port's flows are known to be in place on this host.

        Args:
            vif: Nova's VIF, bound.

        Returns:
            True if so; False where its backend does not know, or cannot be asked.
        """
        backend = self._backends.get(vif["type"])
        try:
            with _backend_errors(vif["id"]):
                return backend is not None and backend.installed(vif)
        except WiringError as error:
            # Neutron's event is waited for instead.
            LOG.debug("%s", error)
            return False

    def unwire(self, instance: Instance, network_info: Iterable[Vif]) -> None:
        """Take ports away, from the network and from the host. Idempotent.

        Works whatever is left of container, veth pair and port. All ports are tried,
        whichever of them fails; one that Neutron no longer binds here is forgotten by whatever
        backend has something of it.

        Args:
            instance: Nova's instance.
            network_info: the VIFs to take away: all, or one that is detached.

        Raises:
            WiringError: a port could not be taken away.
        """
        vifs = list(network_info)
        self._remarks.forget(instance.uuid)
        try:
            _withdraw(vifs)
        finally:
            _side_by_side([functools.partial(self._unbind, instance, vif) for vif in vifs])

    def mute(self, network_info: Iterable[Vif], *, down: bool) -> None:
        """Stop or reopen the traffic of ports; a port without a host end is passed over.

        Args:
            network_info: the VIFs.
            down: True to stop the traffic.

        Raises:
            WiringError: it could not be done.
        """
        devices = [host_device(vif) for vif in network_info]
        with _wiring_errors(_THIS_SERVERS):
            privileged.mute(devices, down=down)

    def resume(self) -> None:
        """Prepare all backends for a nova-compute just started, before any port is looked after.

        What goes wrong is logged: each port is still looked after by itself.
        """
        for vif_type, backend in self._backends.items():
            try:
                with _backend_errors(f"of VIF type {vif_type}"):
                    backend.resume()
            except WiringError as error:
                LOG.warning("Ports of VIF type %s: %s", vif_type, error.values["reason"])

    def warm_up(self) -> None:
        """Start the privileged daemons ahead of the first server.

        A backend that cannot be reached is only warned about: this host may not need it.

        Raises:
            WiringError: our own daemon cannot be started.
        """
        with ThreadPoolExecutor(max_workers=len(self._backends) or 1) as pool:
            warming = {
                vif_type: pool.submit(backend.warm_up)
                for vif_type, backend in self._backends.items()
            }
            with _wiring_errors("of any server"):
                context.ready()
        failures = {vif_type: done.exception() for vif_type, done in warming.items()}
        for vif_type, error in failures.items():
            if isinstance(error, NotOnThisHost):
                LOG.info("%s", error)
            elif error is not None:
                LOG.warning("Ports of VIF type %s cannot be wired here yet: %s", vif_type, error)
        self._not_here = frozenset(vif_type for vif_type, error in failures.items() if error)

    def _clear_away(self, instance: Instance, vifs: Sequence[Vif]) -> None:
        """Clear the network's remains of ports about to be made anew."""
        stale = []
        for vif in vifs:
            with _backend_errors(vif["id"]):
                if self._backend(vif).remains(vif):
                    stale.append(vif)
        if stale:
            _withdraw(stale)
            _side_by_side([functools.partial(self._unbind, instance, vif) for vif in stale])

    def _announce(self, instance: Instance, vifs: Mapping[str, Vif], plan: Plan) -> list[str]:
        bind = functools.partial(self._bind, instance, vifs)
        news = _side_by_side([functools.partial(bind, nic) for nic in plan.nics])
        found = zip(plan.nics, news, strict=True)
        return [f"{nic.host_device} announced" for nic, new in found if new]

    def _bind(self, instance: Instance, vifs: Mapping[str, Vif], nic: Nic) -> bool:
        with _backend_errors(nic.port_id):
            return self._backend(vifs[nic.port_id]).bind(instance, vifs[nic.port_id], nic)

    def _unbind(self, instance: Instance, vif: Vif) -> None:
        with _backend_errors(vif["id"]):
            if vif["type"] in self._backends:
                self._backend(vif).unbind(instance, vif)
                return
            # Neutron has taken back its binding: whoever has something of the port is asked.
            for vif_type, backend in self._backends.items():
                if vif_type not in self._not_here and backend.remains(vif):
                    backend.unbind(instance, model.VIF(**{**vif, "type": vif_type}))

    def _backend(self, vif: Vif) -> Backend:
        try:
            return self._backends[vif["type"]]
        except KeyError:
            reason = f"there is no backend for VIF type {vif['type']}"
            raise WiringError(port=vif["id"], reason=reason) from None


def _side_by_side(calls: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Make calls at once and return their results; raise the first failure after the last end."""
    if len(calls) < 2:  # noqa: PLR2004 - a thread for one would only cost
        return [call() for call in calls]
    with ThreadPoolExecutor(min(len(calls), _AT_ONCE), "wiring") as pool:
        made = [pool.submit(call) for call in calls]
    return [each.result() for each in made]


def _report(instance: Instance, done: Wired) -> None:
    parts = ", ".join(f"{part} {seconds:.3f} s" for part, seconds in done.seconds.items())
    LOG.debug("Wired %s: %s; changed: %s", instance.uuid, parts, "; ".join(done.changes))


def _withdraw(vifs: Sequence[Vif]) -> None:
    with _wiring_errors(_THIS_SERVERS):
        privileged.withdraw([host_device(vif) for vif in vifs])


@contextmanager
def _backend_errors(port: str) -> Iterator[None]:
    """Turn any exception of a backend into a WiringError."""
    try:
        with _wiring_errors(port):
            yield
    except WiringError:
        raise
    except DockerDriverError as error:
        raise WiringError(port=port, reason=str(error)) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise WiringError(port=port, reason=reason) from error


@contextmanager
def _wiring_errors(port: str) -> Iterator[None]:
    """Turn exceptions of kernel, os-vif and oslo.privsep into a WiringError."""
    try:
        yield
    except OSError as error:
        raise WiringError(port=port, reason=str(error)) from error
    except OsVifError as error:
        # os-vif's own message is the whole VIF; what went wrong stands behind it
        raise WiringError(port=port, reason=str(error.__context__ or error)) from error
    except FailedToDropPrivileges as error:
        reason = (
            f"a privileged daemon did not start ({error}); see helper_command in "
            "[novadocker_privileged] and [vif_plug_ovs_privileged]"
        )
        raise WiringError(port=port, reason=reason) from error
