# SPDX-License-Identifier: Apache-2.0
"""Calls between compute hosts about servers that move while they run."""

from collections.abc import Mapping
from typing import Any

import oslo_messaging

from novadocker.errors import MoveRefused, TransferFailed
from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.channel import VERSION, Channel, RemoteHost, answered
from novadocker.virt.docker.migration.live.arrival import LiveArrivals
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from novadocker.virt.nova_types import Instance, RequestContext


class LiveEndpoint:
    """Calls from the sources of running servers.

    Args:
        arrivals: running servers that come to this host.
    """

    target = oslo_messaging.Target(version=VERSION)

    def __init__(self, arrivals: LiveArrivals) -> None:
        self._arrivals = arrivals

    def judge_running(
        self, context: RequestContext, instance: Instance, manifest: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Judge whether this host can take a running server."""
        del context
        server, told = translation.server(instance), Manifest.of(manifest)
        return answered(lambda: self._arrivals.judge(server, told))

    def expect_running(
        self, context: RequestContext, instance: Instance, manifest: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Listen for a running server."""
        del context
        server, told = translation.server(instance), Manifest.of(manifest)

        def expect() -> dict[str, Any]:
            offer, has_image = self._arrivals.expect_running(server, told)
            return {"offer": offer.as_dictionary(), "has_image": has_image}

        return answered(expect)

    def runs(self, context: RequestContext, uuid: str, migration: str) -> dict[str, Any]:
        """Tell whether a server runs here."""
        del context
        return answered(lambda: self._arrivals.runs(uuid, migration))

    def discard_running(self, context: RequestContext, uuid: str, migration: str) -> dict[str, Any]:
        """Remove what came of a running server."""
        del context
        return answered(lambda: self._arrivals.discard(uuid, migration))


class LiveHost(RemoteHost):
    """Destination of one running server."""

    @property
    def name(self) -> str:
        """The host's name in Nova."""
        return self._name

    def judge(self, manifest: Manifest) -> None:
        """Have the host judge the server.

        Raises:
            MoveRefused: the host cannot take it, or does not answer.
        """
        told = manifest.as_dictionary()
        self._call(MoveRefused, "judge_running", **self._server, manifest=told)

    def expect(self, manifest: Manifest) -> tuple[Offer, bool]:  # type: ignore[override]
        """Have the host listen for the server.

        Raises:
            TransferFailed: the host cannot take it, or does not answer.
        """
        told = manifest.as_dictionary()
        answer = self._call(TransferFailed, "expect_running", **self._server, manifest=told)
        return Offer(**answer["offer"]), bool(answer["has_image"])

    def runs(self, manifest: Manifest) -> bool:
        """Ask whether the server runs there.

        Raises:
            TransferFailed: the host does not answer.
        """
        return self.has(manifest.uuid, manifest.migration)

    def has(self, uuid: str, migration: str) -> bool:
        """Ask whether a server runs there.

        Args:
            uuid: id of the instance.
            migration: id of Nova's migration.

        Raises:
            TransferFailed: the host does not answer.
        """
        return bool(self._call(TransferFailed, "runs", uuid=uuid, migration=migration))

    def discard(self, manifest: Manifest) -> str:
        """Have the host remove what came of the server.

        Raises:
            TransferFailed: the host does not answer.
        """
        who = {"uuid": manifest.uuid, "migration": manifest.migration}
        return str(self._call(TransferFailed, "discard_running", **who))


def live_host(channel: Channel, host: str, context: RequestContext, instance: Instance) -> LiveHost:
    """Return another host, for one running server.

    Args:
        channel: channel to other hosts.
        host: name in Nova.
        context: request of Nova.
        instance: the server in Nova.
    """
    return LiveHost(host, channel.client(host), context, {"instance": instance})
