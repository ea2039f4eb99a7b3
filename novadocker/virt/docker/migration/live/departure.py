# SPDX-License-Identifier: Apache-2.0
"""Departure of a running server: files first, then memory while it is frozen, then the handover.

Until the handover is noted, whatever goes wrong lets the server run on here. Afterwards it
stays frozen here until the destination has said whether it runs there.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, Protocol

import tenacity
from oslo_log import log as logging

from novadocker.errors import (
    CheckpointError,
    DockerDriverError,
    HandedOver,
    MoveAborted,
    MoveRefused,
    TransferFailed,
)
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.checkpoint.account import Account
from novadocker.virt.docker.checkpoint.account import refuse as refuse_host
from novadocker.virt.docker.checkpoint.handover import Handover
from novadocker.virt.docker.checkpoint.travel import Travel
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.engine.calls.stores import Stores
from novadocker.virt.docker.files import directories
from novadocker.virt.docker.migration.departure import Departures
from novadocker.virt.docker.migration.frames import Arriving, Outgoing
from novadocker.virt.docker.migration.live.course import Course
from novadocker.virt.docker.migration.manifest import Manifest, refuse_source
from novadocker.virt.docker.migration.stream import Offer, connected
from novadocker.virt.docker.network.networking import Network, Networking

LOG = logging.getLogger(__name__)

_ASK_SECONDS, _ASK_PAUSE = 120, 2


class LiveDestination(Protocol):
    """Destination of a running server, reached over Nova's bus."""

    @property
    def name(self) -> str:
        """Name of the host in Nova."""

    def judge(self, manifest: Manifest) -> None:
        """Refuse a server that the host cannot take."""

    def expect(self, manifest: Manifest) -> tuple[Offer, bool]:
        """Listen for the server; the second value is True where its image is present."""

    def runs(self, manifest: Manifest) -> bool:
        """Return whether the server runs there; False is a promise that it never will."""

    def discard(self, manifest: Manifest) -> str:
        """Remove what has come; return the reason of an incomplete arrival, or ""."""


class LiveDepartures(Departures):
    """Departures of running servers from one host.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        runner: knows the containers and their directories.
        host: name of this host in Nova.
        suspension: refuses what cannot be checkpointed.
        travel: memory of servers under way.
    """

    def __init__(
        self,
        engine: Engine,
        networking: Networking,
        runner: Runner,
        host: str,
        suspension: Suspension,
        travel: Travel,
    ) -> None:
        super().__init__(engine, networking, runner, host)
        self._suspension = suspension
        self._travel = travel
        self._courses: dict[str, Course] = {}
        self._lock = threading.Lock()

    def refuse(self, server: Server, there: Account, destination: LiveDestination) -> None:
        """Refuse a server that cannot move, before anything changes.

        Args:
            server: the server.
            there: account of the destination.
            destination: the host that it is to go to.

        Raises:
            MoveRefused: it cannot, and why.
            ContainerNotFound: there is no container.
            DockerDriverError: the destination cannot take it.
        """
        directories.warm_up()
        container = self._runner.guest(server.uuid).get()
        try:
            self._suspension.refuse(server.uuid, container)
            self._travel.refuse(container)
            refuse_host(self._travel.account(), there)
        except CheckpointError as error:
            raise MoveRefused(reason=error.values["reason"]) from error
        destination.judge(self._account(server, container, ""))

    def abort(self, uuid: str) -> None:
        """Abort the move of a server.

        Args:
            uuid: id of the instance.

        Raises:
            MoveRefused: there is no move, or it is too late.
        """
        course = self._courses.get(uuid)
        if course is None or not course.abort():
            raise MoveRefused(reason="there is no move of it that can still be aborted")

    def send_running(
        self,
        server: Server,
        network: Network,
        destination: LiveDestination,
        migration: str,
        course: Course,
    ) -> None:
        """Send a server to another host, where it runs when this returns.

        Its frozen container stays here, for Nova to remove. After any error but ``HandedOver``
        the server runs on here.

        Args:
            server: the server.
            network: ports of the server here.
            destination: the host that it goes to.
            migration: id of Nova's migration.
            course: counts, and can be aborted.

        Raises:
            MoveRefused: it cannot move.
            MoveAborted: somebody has aborted it.
            CheckpointError: CRIU could not dump or restore it.
            TransferFailed: not all of it arrived.
            HandedOver: the destination may run it, and does not answer.
        """
        self._courses[server.uuid] = course
        try:
            with operation(self._engine, server.uuid):
                guest = self._runner.guest(server.uuid)
                container = guest.get()
                self._suspension.refuse(server.uuid, container)
                manifest = self._account(server, container, migration)
                self._connect(guest, manifest, network, destination, course)
        finally:
            self._courses.pop(server.uuid, None)

    def _account(self, server: Server, container: Container, migration: str) -> Manifest:
        stores = self._engine.stores(container.name)
        refuse_source(container, stores)
        return self._manifest(server, container, stores, migration)

    def _connect(
        self,
        guest: Guest,
        manifest: Manifest,
        network: Network,
        destination: LiveDestination,
        course: Course,
    ) -> None:
        course.update(disk_total=manifest.written)
        stores = self._engine.stores(guest.name)
        try:
            offer, has_image = destination.expect(manifest)
            with connected(offer) as connection:
                out, arriving = Outgoing(connection), Arriving(connection)
                self._first(out, guest.get(), manifest, course, has_image=has_image)
                connection.settimeout(self._travel.seconds)  # the server is to stand still
                self._freeze(guest, manifest, network, destination, course, (out, arriving))
        except HandedOver:
            raise
        except MoveAborted:
            _discarded(destination, manifest)
            raise
        except TransferFailed as error:
            # Our end of a broken connection rarely knows why it broke.
            if reason := _discarded(destination, manifest):
                raise TransferFailed(reason=reason) from error
            raise
        except DockerDriverError:
            _discarded(destination, manifest)
            raise
        finally:
            for place in _places(stores).values():
                directories.forget(place)

    def _first(
        self,
        out: Outgoing,
        container: Container,
        manifest: Manifest,
        course: Course,
        *,
        has_image: bool,
    ) -> None:
        began = time.monotonic()
        stores = self._engine.stores(container.name)
        for heading, make in self._sections(manifest, container, has_image=has_image):
            course.go_on()
            place = _places(stores).get(_name(heading))
            if place is None:
                with closing(make()) as content:
                    out.section(heading, content)
                continue
            _read_changing(out, heading, place, course)
        out.section({"section": "end"})
        LOG.info("Files of %s: %.1f s", container.name, time.monotonic() - began)

    def _freeze(
        self,
        guest: Guest,
        manifest: Manifest,
        network: Network,
        destination: LiveDestination,
        course: Course,
        ends: tuple[Outgoing, Arriving],
    ) -> None:
        out, arriving = ends
        began = time.monotonic()
        with ExitStack() as undo:
            undo.callback(self._travel.forget, manifest.uuid)
            undo.callback(self._networking.mute, network, down=False)
            # First its ports: a connection that its program has not accepted would be lost, and
            # nothing that comes later may be acknowledged here.
            self._networking.mute(network, down=True)
            self._travel.let_accept(guest.get())
            undo.callback(guest.unpause)
            guest.pause()
            self._memory(out, guest, manifest, course)
            if arriving.heading()["section"] != "restored":
                raise TransferFailed(reason="the destination did not restore it")
            list(arriving.pieces())
            course.decide()
            note = Handover(
                uuid=manifest.uuid,
                migration=manifest.migration,
                container=guest.get().id,
                host=destination.name,
                source=manifest.host,
            )
            note.keep()
            thaw = undo.pop_all()
        # From here on the destination's word counts: no fault thaws the server without it.
        if not _handed_over(ends, destination, manifest):
            note.forget()
            thaw.close()
            raise TransferFailed(reason="the destination gave it up at the last moment")
        self._travel.forget(manifest.uuid)
        LOG.info("%s runs on %s: %.2f s", guest.name, destination.name, time.monotonic() - began)

    def _memory(self, out: Outgoing, guest: Guest, manifest: Manifest, course: Course) -> None:
        taken = self._travel.take(manifest.uuid, guest.get())
        course.update(memory_total=taken.size)
        for name, place in _places(self._engine.stores(guest.name)).items():
            with closing(directories.rest(place)) as content:
                out.section({"section": "rest", "of": name}, course.files(content))
        with closing(directories.packed(taken.images)) as content:
            out.section({"section": "memory"}, course.pages(content))
        console = self._console(manifest.uuid)
        out.section({"section": "console"}, iter([console]))
        out.section({"section": "restore", "maps": dict(taken.maps)})


def _handed_over(
    ends: tuple[Outgoing, Arriving], destination: LiveDestination, manifest: Manifest
) -> bool:
    out, arriving = ends
    try:
        out.section({"section": "commit"})
        if arriving.heading()["section"] == "runs":
            return True
    except (TransferFailed, OSError) as error:
        LOG.warning("%s does not say on the stream what it did: %s", destination.name, error)
    try:
        return _asked(destination, manifest)
    except DockerDriverError as error:
        raise HandedOver(host=destination.name) from error


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TransferFailed),
    stop=tenacity.stop_after_delay(_ASK_SECONDS),
    wait=tenacity.wait_fixed(_ASK_PAUSE),
    reraise=True,
)
def _asked(destination: LiveDestination, manifest: Manifest) -> bool:
    return destination.runs(manifest)


def _places(stores: Stores) -> Mapping[str, Any]:
    layer = {"layer": stores.writable} if stores.writable else {}
    return {**layer, **{f"volume {seen}": place for seen, place in stores.volumes.items()}}


def _name(heading: Mapping[str, Any]) -> str:
    if heading["section"] == "volume":
        return f"volume {heading['seen']}"
    return str(heading["section"])


def _read_changing(out: Outgoing, heading: Mapping[str, Any], place: Any, course: Course) -> None:
    with closing(directories.changing(place)) as content:
        out.section(heading, course.files(content))


def _discarded(destination: LiveDestination, manifest: Manifest) -> str:
    try:
        return destination.discard(manifest)
    except TransferFailed as error:
        # Its own start finds what is left, by the label of the move.
        LOG.warning("What came of %s may be left on its destination: %s", manifest.uuid, error)
        return ""
