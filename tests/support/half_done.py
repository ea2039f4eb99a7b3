# SPDX-License-Identifier: Apache-2.0
"""Servers after nova-compute's death in the middle of an action: Nova's record, and the host."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from nova.compute import power_state

from novadocker.cloud.layout import credentials
from novadocker.cloud.seed import database
from novadocker.virt.docker.actions.snapshot import NAMESPACE
from tests.support.cloud_site import Site

# Link names have room for no more of a port's id.
PORT_DIGITS = 11


# Nova's record of it


def record(
    site: Site,
    server: str,
    vm_state: str,
    task_state: str | None,
    power: int = power_state.RUNNING,
) -> None:
    """Write what Nova last wrote of a server before nova-compute died."""
    _update(
        site,
        "UPDATE instances SET vm_state = %s, task_state = %s, power_state = %s WHERE uuid = %s",
        (vm_state, task_state, power, server),
    )


def record_unclaimed(site: Site, server: str) -> None:
    """Let a server be on no host yet."""
    _update(
        site,
        "UPDATE instances SET host = NULL, node = NULL, compute_id = NULL, launched_on = NULL "
        "WHERE uuid = %s",
        (server,),
    )


def record_deleted(site: Site, server: str) -> None:
    """Mark a server as deleted in Nova's database."""
    _update(
        site,
        "UPDATE instances SET deleted = id, deleted_at = NOW() WHERE uuid = %s",
        (server,),
    )


def record_resize(site: Site, server: str) -> None:
    """Put a resized server back into the middle of the resize, with the old flavor."""
    with _nova(site) as cursor:
        cursor.execute("SELECT flavor FROM instance_extra WHERE instance_uuid = %s", [server])
        flavors = json.loads(cursor.fetchone()[0])
        flavors["cur"] = flavors["old"]
        cursor.execute(
            "UPDATE instance_extra SET flavor = %s WHERE instance_uuid = %s",
            [json.dumps(flavors), server],
        )
        cursor.execute(
            "UPDATE migrations SET status = 'migrating' WHERE instance_uuid = %s", [server]
        )


def forget_migrations(site: Site, servers: list[str]) -> None:
    """Free Placement's allocations of migrations, which Nova leaves after a cut."""
    with _nova(site) as cursor:
        for server in servers:
            cursor.execute("SELECT uuid FROM migrations WHERE instance_uuid = %s", [server])
            for (migration,) in cursor.fetchall():
                site.admin.placement.delete(f"/allocations/{migration}")


def _update(site: Site, statement: str, values: tuple[Any, ...]) -> None:
    with _nova(site) as cursor:
        cursor.execute(statement, values)


@contextlib.contextmanager
def _nova(site: Site) -> Iterator[Any]:
    passwords = credentials.load_or_make(site.layout.state / "credentials.json")
    with database.connection(site.layout, passwords, "nova") as cursor:
        yield cursor
        cursor.connection.commit()


# What its tenant has asked for before


def resized(site: Site, server: str) -> None:
    """Resize a server, without the confirmation."""
    compute = site.demo.compute
    compute.resize_server(server, compute.find_flavor("c1.tiny").id)
    site.wait(server, "VERIFY_RESIZE")


def rescued(site: Site, server: str) -> None:
    """Rescue a server."""
    site.demo.compute.rescue_server(server)
    site.wait(server, "RESCUE")


# What is made of it


def whole(site: Site, server: str) -> None:
    """Nothing was done yet."""


def ended(site: Site, server: str) -> None:
    """End a server's process; the ports stay plugged."""
    site.engine.kill(f"nova-{server}", "KILL")
    site.engine.wait(f"nova-{server}", timeout=30)


def rescue_ended(site: Site, server: str) -> None:
    """Stop a server and the stand-in, as after a restart of the host."""
    ended(site, f"{server}-rescue")
    ended(site, server)


def snapshot_left(site: Site, server: str) -> None:
    """Commit a server; the image stays in the engine."""
    site.engine.commit(f"nova-{server}", repository=f"{NAMESPACE}{server}", tag="left")


def at_its_gate(site: Site, server: str) -> None:
    """Start a server up to the gate, without wires."""
    ended(site, server)
    unplugged(site, server)
    site.engine.start(f"nova-{server}")


def created(site: Site, server: str) -> None:
    """Make a server's container anew, never started."""
    was = site.container(server)
    lost(site, server)
    unplugged(site, server)
    config = was["Config"] | {"HostConfig": was["HostConfig"]}
    site.engine.create_container_from_config(config, f"nova-{server}")


def paused(site: Site, server: str) -> None:
    """Freeze a server."""
    site.engine.pause(f"nova-{server}")


def lost(site: Site, server: str) -> None:
    """Remove a server's container; ports and files stay."""
    site.engine.remove_container(f"nova-{server}", force=True)


def unplugged(site: Site, server: str) -> None:
    """Take a server's ports from the switch, with the links."""
    for port in site.ports(server):
        name = f"tap{port.id[:PORT_DIGITS]}"
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
        switch = f"--db=unix:{site.host.switch_socket}"
        subprocess.run(["ovs-vsctl", switch, "--if-exists", "del-port", name], check=True)


def unmade(site: Site, server: str) -> None:
    """Nothing of it is on the host."""
    lost(site, server)
    unplugged(site, server)
    shutil.rmtree(site.host.nova_state / "instances" / server)


def without_ports(site: Site, server: str) -> None:
    """Nothing of it is on the host nor in Neutron."""
    unmade(site, server)
    for port in site.ports(server):
        site.admin.network.delete_port(port)
