# SPDX-License-Identifier: Apache-2.0
"""The service that hosts with virtual machines have beside their engine: libvirtd."""

from collections.abc import Iterable
from functools import partial

from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service
from novadocker.cloud.underlay import libvirt


def on_host(host: ComputeHost) -> Iterable[Service]:
    """Return the services that a compute host has for its virtual machines."""
    if host.has_machines:
        yield Service(
            libvirt.command(host),
            after=(),
            ready=partial(readiness.unix_socket, f"unix:{libvirt.socket(host)}"),
            files=libvirt.configuration(host),
            directories=libvirt.directories(host),
            wave=3,
            patience=10,
        )


def before_compute(host: ComputeHost) -> tuple[str, ...]:
    """Return the steps that nova-compute of a host waits for."""
    return (host.service(libvirt.LIBVIRTD), "libvirt-binding") if host.has_machines else ()
