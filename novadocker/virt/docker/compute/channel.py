# SPDX-License-Identifier: Apache-2.0
"""Control channel between compute hosts: calls of our own on Nova's message bus.

Nova has no call by which the driver of a source reaches that of a destination. Whoever may
speak on this bus owns the compute hosts already, so what is agreed on it needs no further proof.
A refusal travels as a value: Nova's bus would turn an exception of ours into words.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import oslo_messaging
from nova import rpc
from nova.objects import base as objects_base
from oslo_config import cfg

from novadocker.errors import DockerDriverError, ResizeRefused, TransferFailed
from novadocker.virt.docker import translation
from novadocker.virt.docker.migration.arrival import Arrivals
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from novadocker.virt.nova_types import Instance, NovaFlavor, RequestContext

TOPIC, VERSION = "novadocker", "1.0"
REFUSED, ANSWER = "refused", "answer"


class Endpoint:
    """Calls from other hosts.

    Args:
        arrivals: servers that come to this host.
    """

    target = oslo_messaging.Target(version=VERSION)

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def prepare(
        self,
        context: RequestContext,
        instance: Instance,
        flavor: NovaFlavor,
        manifest: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Judge whether this host can take a server."""
        server, told = translation.server(instance, flavor=flavor), Manifest.of(manifest)
        image = instance.image_meta
        return answered(lambda: self._arrivals.prepare(context, server, image, told))

    def expect(
        self,
        context: RequestContext,
        instance: Instance,
        flavor: NovaFlavor,
        manifest: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Listen for a server's files."""
        del context
        server, told = translation.server(instance, flavor=flavor), Manifest.of(manifest)
        return answered(lambda: self._arrivals.expect(server, told).as_dictionary())

    def discard(self, context: RequestContext, uuid: str, migration: str) -> dict[str, Any]:
        """Remove what came of a server."""
        del context
        return answered(lambda: self._arrivals.discard(uuid, migration))


class Channel:
    """Channel to the drivers of other hosts.

    Args:
        arrivals: servers that come to this host.
        host: name of this host in Nova.
        conf: configuration of nova-compute.
        others: objects with further calls.
    """

    def __init__(
        self, arrivals: Arrivals, host: str, conf: cfg.ConfigOpts, others: Sequence[Any] = ()
    ) -> None:
        self._endpoints = [Endpoint(arrivals), *others]
        self._host = host
        self._conf = conf
        self._server: Any = None

    def start(self) -> None:
        """Answer calls of other hosts; safe to repeat."""
        if self._server is None:
            target = oslo_messaging.Target(topic=TOPIC, server=self._host)
            serializer = objects_base.NovaObjectSerializer()
            self._server = rpc.get_server(target, self._endpoints, serializer)
            self._server.start()

    def stop(self) -> None:
        """Answer no more calls; safe to repeat."""
        if self._server is not None:
            self._server.stop()
            self._server.wait()
            self._server = None

    def to(
        self, host: str, context: RequestContext, instance: Instance, flavor: NovaFlavor
    ) -> "RemoteHost":
        """Return another host, for one server.

        Args:
            host: name in Nova.
            context: request of Nova.
            instance: the server in Nova.
            flavor: that the server gets.
        """
        server = {"instance": instance, "flavor": flavor}
        return RemoteHost(host, self.client(host), context, server)

    def client(self, host: str) -> Any:
        """Return oslo.messaging's client for another host.

        Args:
            host: name in Nova.
        """
        target = oslo_messaging.Target(topic=TOPIC, version=VERSION)
        client = rpc.get_client(
            target,
            serializer=objects_base.NovaObjectSerializer(),
            call_monitor_timeout=self._conf.rpc_response_timeout,
        )
        return client.prepare(server=host, timeout=self._conf.long_rpc_timeout)


class RemoteHost:
    """Destination of one server.

    Args:
        name: the host's name in Nova.
        client: oslo.messaging's client for that host.
        context: request of Nova.
        server: instance and flavor, by the names of arguments.
    """

    def __init__(
        self, name: str, client: Any, context: RequestContext, server: Mapping[str, Any]
    ) -> None:
        self._name = name
        self._client = client
        self._context = context
        self._server = server

    def prepare(self, manifest: Manifest) -> bool:
        """Have the host judge the server.

        Raises:
            ResizeRefused: the host cannot take it, or does not answer.
        """
        told = manifest.as_dictionary()
        return bool(self._call(ResizeRefused, "prepare", **self._server, manifest=told))

    def expect(self, manifest: Manifest) -> Offer:
        """Have the host listen for the server's files.

        Raises:
            TransferFailed: the host has no port for it, or does not answer.
        """
        told = manifest.as_dictionary()
        return Offer(**self._call(TransferFailed, "expect", **self._server, manifest=told))

    def discard(self, manifest: Manifest) -> str:
        """Have the host remove what came of the server.

        Raises:
            TransferFailed: the host does not answer.
        """
        who = {"uuid": manifest.uuid, "migration": manifest.migration}
        return str(self._call(TransferFailed, "discard", **who))

    def _call(self, kind: type[DockerDriverError], method: str, **arguments: Any) -> Any:
        try:
            told = self._client.call(self._context, method, **arguments)
        except oslo_messaging.MessagingException as error:
            raise kind(
                reason=f"host {self._name} does not answer ({error}); nova-compute must run "
                "there, with a driver that moves servers"
            ) from error
        if REFUSED in told:
            raise kind(reason=f"host {self._name}: {told[REFUSED]}")
        return told[ANSWER]


def answered(work: Callable[[], Any]) -> dict[str, Any]:
    """Return the answer of a call, or its refusal, as a value.

    Args:
        work: does what was asked for.
    """
    try:
        return {ANSWER: work()}
    except DockerDriverError as error:
        return {REFUSED: str(error)}
