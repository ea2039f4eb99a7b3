# SPDX-License-Identifier: Apache-2.0
"""Asking services whether they are ready. Each probe raises unless the answer is yes."""

import socket

import docker
import kombu
import requests

from novadocker.cloud import database
from novadocker.cloud.command import run
from novadocker.cloud.config.common import Common
from novadocker.cloud.host import ComputeHost
from novadocker.cloud.identity import connect
from novadocker.cloud.layout import LOOPBACK, Layout

_PATIENCE = 10


class NotReady(Exception):
    """The service answers, and says that it is not ready yet."""


def at_once() -> None:
    """Accept a service that shows its readiness only in what others see of it."""


def http(url: str) -> None:
    """Raise unless the root of an API answers with its versions, or asks who we are."""
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


def broker(url: str) -> None:
    """Raise unless we can log in to the message broker."""
    with kombu.Connection(url.replace("rabbit://", "amqp://"), connect_timeout=_PATIENCE) as amqp:
        amqp.connect()


def engine(url: str) -> None:
    """Raise unless the Docker Engine tells its version."""
    client = docker.DockerClient(base_url=url, version="auto", timeout=_PATIENCE)
    try:
        client.ping()
    finally:
        client.close()


def chassis(layout: Layout, host: ComputeHost) -> None:
    """Raise unless a host is registered with OVN."""
    _chassis_private(layout, host, "name")


def metadata_agent(layout: Layout, host: ComputeHost) -> None:
    """Raise unless the metadata agent has registered, and told which bridge OVN uses.

    Neutron assumes ``br-int`` until then, and would bind ports to that.
    """
    external_ids = _chassis_private(layout, host, "external_ids")
    if f"neutron:ovn-bridge={host.integration_bridge}" not in external_ids:
        raise NotReady("the agent has not registered with OVN")


def nova_service(layout: Layout, binary: str, host: str | None = None) -> None:
    """Raise unless Nova lists a service as up."""
    with connect(layout, "admin") as cloud:
        services = list(cloud.compute.services(binary=binary, host=host))
    if not any(service.state == "up" for service in services):
        raise NotReady(f"Nova does not list {binary} as up")


def compute(common: Common, host: str) -> None:
    """Raise unless a compute host is up and its cell knows it."""
    nova_service(common.layout, "nova-compute", host)
    if not database.host_is_mapped(common.layout, common.credentials, host):
        raise NotReady(f"host {host} is not mapped to a cell")


def _chassis_private(layout: Layout, host: ComputeHost, column: str) -> str:
    row = f"name={host.name}"
    answer = run(
        *("ovn-sbctl", f"--db={layout.southbound}", "--timeout=5", "--bare", "--no-headings"),
        *(f"--columns={column}", "find", "Chassis_Private", row),
    )
    if not answer.strip():
        raise NotReady(f"OVN knows no chassis {host.name}")
    return answer
