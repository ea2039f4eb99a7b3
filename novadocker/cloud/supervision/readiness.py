# SPDX-License-Identifier: Apache-2.0
"""Probes of services' readiness; each raises unless the service is ready."""

import socket
from collections.abc import Callable
from typing import Any

import amqp  # type: ignore[import-untyped]
import docker
import requests

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import LOOPBACK, Layout
from novadocker.cloud.machine.command import run
from novadocker.cloud.seed import database
from novadocker.cloud.seed.identity import connect

# Raises unless the answer is yes.
Probe = Callable[[], None]
_PATIENCE = 10


class NotReady(Exception):
    """Answer of a service before readiness."""


def http(url: str) -> None:
    """Raise unless the root of an API answers with versions, or asks for a token."""
    status = requests.get(url, timeout=_PATIENCE).status_code
    if status >= requests.codes.server_error:
        raise NotReady(f"{url} answers {status}")


def listening(port: int) -> None:
    """Raise unless somebody accepts connections on a port."""
    socket.create_connection((LOOPBACK, port), timeout=_PATIENCE).close()


def unix_socket(connection: str) -> None:
    """Raise unless somebody accepts connections on a Unix socket, ``unix:PATH``."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(connection.removeprefix("unix:"))


def broker(common: Common) -> None:
    """Raise unless we can log in to the message broker."""
    with _broker(common):
        return


def engine(url: str) -> None:
    """Raise unless the Docker Engine tells a version."""
    client = docker.DockerClient(base_url=url, version="auto", timeout=_PATIENCE)
    try:
        client.ping()
    finally:
        client.close()


def chassis(layout: Layout, host: ComputeHost) -> None:
    """Raise unless a host is registered with OVN."""
    _chassis_private(layout, host, "name")


def metadata_agent(layout: Layout, host: ComputeHost) -> None:
    """Raise unless the metadata agent listens and has told OVN the bridge in use.

    Neutron assumes ``br-int`` until then, and would bind ports to that.
    """
    unix_socket(f"unix:{host.metadata_socket}")
    external_ids = _chassis_private(layout, host, "external_ids")
    if f"neutron:ovn-bridge={host.integration_bridge}" not in external_ids:
        raise NotReady("the agent has not registered with OVN")


def consumer(common: Common, queue: str) -> None:
    """Raise unless a worker takes messages from a queue now.

    Nova's own list calls a worker up for a minute after its end.
    """
    with _broker(common) as connection, connection.channel() as channel:
        consumers = channel.queue_declare(queue, passive=True).consumer_count
    if not consumers:
        raise NotReady(f"nobody listens to the queue {queue}")


def neutron_agent(common: Common, host: ComputeHost, kind: str) -> None:
    """Raise unless Neutron lists an agent of a host as alive."""
    with connect(common.layout, "admin") as cloud:
        agents = cloud.network.agents(host=host.name, agent_type=kind)
        if not any(agent.is_alive for agent in agents):
            raise NotReady(f"Neutron lists no {kind} of {host.name} as alive")


def compute(common: Common, host: str) -> None:
    """Raise unless a compute host takes messages, has a cell, and is up with Nova's workers.

    Other compute hosts may be down: somebody has taken them away.
    """
    consumer(common, f"compute.{host}")
    if not database.host_is_mapped(common.layout, common.credentials, host):
        raise NotReady(f"host {host} is not mapped to a cell")
    with connect(common.layout, "admin") as cloud:
        states = {
            f"{one.binary} of {one.host}": one.state
            for one in cloud.compute.services()
            if one.binary != "nova-compute" or one.host == host
        }
    down = [name for name, state in states.items() if state != "up"]
    if down:
        raise NotReady(f"Nova does not list {', '.join(down)} as up")


def _broker(common: Common) -> Any:
    return amqp.Connection(
        f"{LOOPBACK}:{common.layout.ports.rabbitmq}",
        userid="cloud",
        password=common.credentials.messages,
        connect_timeout=_PATIENCE,
    )


def _chassis_private(layout: Layout, host: ComputeHost, column: str) -> str:
    row = f"name={host.name}"
    answer = run(
        "ovn-sbctl",
        f"--db={layout.southbound}",
        "--timeout=5",
        "--bare",
        "--no-headings",
        f"--columns={column}",
        "find",
        "Chassis_Private",
        row,
    )
    if not answer.strip():
        raise NotReady(f"OVN knows no chassis {host.name}")
    return answer
