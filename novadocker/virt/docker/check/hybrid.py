# SPDX-License-Identifier: Apache-2.0
"""Findings of a hybrid host, asked of libvirt, the engine, the switch and nova.conf."""

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from oslo_concurrency import processutils
from oslo_config import cfg

from novadocker.errors import DockerDriverError
from novadocker.virt.docker.check import machines
from novadocker.virt.docker.check.findings import Finding, Verdict, attempt
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.disk import apart

DRIVER = "novadocker.virt.hybrid.HybridDriver"
SYSTEM = "qemu:///system"
_BINDING = "install python3-libvirt where nova-compute's Python looks, made for that Python"
_PATIENCE = "--timeout=5"


def findings(conf: cfg.ConfigOpts, engine: Engine) -> Iterator[Finding]:
    """Examine a host that is to run virtual machines beside containers.

    Args:
        conf: configuration of nova-compute.
        engine: Docker Engine of the host.

    Yields:
        Findings; those of libvirt end with the first that is missing.
    """
    yield from _libvirt(conf)
    yield machines.reserved_memory(conf.reserved_host_memory_mb)
    yield from machines.processors(
        machines.Processors(
            shared=bool(conf.compute.cpu_shared_set),
            dedicated=bool(conf.compute.cpu_dedicated_set),
            power_managed=conf.libvirt.cpu_power_management,
        )
    )
    yield from _told(DockerDriverError, "disks", partial(_disks, conf, engine))
    yield from _told(
        (processutils.ProcessExecutionError, OSError), "switch", partial(_switch, conf)
    )


def _libvirt(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    binding = attempt("libvirt's binding", _binding_version, _BINDING)
    yield binding
    if binding.verdict is Verdict.MISSING:
        return
    uri = conf.libvirt.connection_uri or SYSTEM
    daemon = attempt("libvirtd", partial(_daemon, uri), f"start libvirtd; Nova uses {uri}")
    yield daemon
    if daemon.verdict is Verdict.MISSING:
        return
    connection = _libvirt_module().openReadOnly(uri)
    yield machines.node_name(connection.getHostname(), conf.host)


def _libvirt_module() -> Any:
    return importlib.import_module("libvirt")


def _binding_version() -> str:
    return f"version {_libvirt_module().getVersion()}"


def _daemon(uri: str) -> str:
    connection = _libvirt_module().openReadOnly(uri)
    return f"{uri}, {connection.getType()} version {connection.getVersion()}"


def _disks(conf: cfg.ConfigOpts, engine: Engine) -> Finding:
    pool = conf.libvirt.images_type in ("lvm", "rbd")
    return machines.disks(apart=pool or apart(engine.info(), Path(conf.instances_path)))


def _switch(conf: cfg.ConfigOpts) -> Finding:
    ask = partial(
        processutils.execute, "ovs-vsctl", _PATIENCE, f"--db={conf.os_vif_ovs.ovsdb_connection}"
    )
    bridge = conf.neutron.ovs_bridge
    datapath = ask("get", "Bridge", bridge, "datapath_type")[0]
    other = ask("get", "Open_vSwitch", ".", "other_config")[0]
    return machines.switch(
        machines.Switch(
            datapath=datapath.strip().strip('"'),
            offloads='userspace-tso-enable="true"' in other,
        )
    )


def _told(
    errors: type[Exception] | tuple[type[Exception], ...],
    item: str,
    judge: Callable[[], Finding],
) -> Iterator[Finding]:
    try:
        yield judge()
    except errors as error:
        # Another backend may join the ports, and the engine has a finding of its own.
        yield Finding(item, Verdict.WARNING, f"not looked at: {error}")
