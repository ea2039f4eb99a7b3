# SPDX-License-Identifier: Apache-2.0
"""A tenant's walk through the dashboard: from a saved image to a server and every action."""

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dashboard.conftest import Things
from tests.support.cloud_site import Site, Tenant, page
from tests.support.dashboard_pages import Browser

INSTANCES, IMAGES = "project/instances/", "project/images"


@pytest.fixture(scope="module")
def uploaded(person: Browser, things: Things, web_archive: Path) -> str:
    """The name of an image that was uploaded through the form."""
    name = things.name("web")
    person.upload(name, web_archive)
    person.finish()
    person.wait(lambda: "Active" in person.row(name), f"{name} to be Active")
    return name


@pytest.fixture(scope="module")
def launched(person: Browser, things: Things, uploaded: str) -> str:
    """The name of a server that was launched through the wizard."""
    name = things.name("server")
    person.launch(
        name=name,
        image=uploaded,
        flavor="c1.tiny",
        network="private",
        group="web",
        key="demo",
        metadata="COLOUR=green",
    )
    person.finish()
    person.wait(lambda: "Active" in person.row(name), f"{name} to be Active")
    return name


def test_a_saved_image_is_uploaded(
    site: Site, things: Things, uploaded: str, web_archive: Path
) -> None:
    """The upload keeps every byte and the image's format."""
    image = site.demo.image.get_image(things.image("web"))
    assert (image.container_format, image.disk_format) == ("docker", "raw")
    assert image.visibility == "private"
    digest = hashlib.new(image.hash_algo, web_archive.read_bytes()).hexdigest()
    assert image.hash_value == digest


def test_all_that_the_wizard_asks_arrives(
    site: Site, person: Browser, things: Things, launched: str
) -> None:
    """Image, flavor, network, security group, key pair, and metadata as environment."""
    id_ = things.server("server")
    server = site.server(id_)
    assert server.flavor.original_name == "c1.tiny"
    assert server.key_name == "demo"
    assert "web" in {each["name"] for each in server.security_groups}
    assert "COLOUR=green" in site.run(id_, "cat", "/proc/1/environ").split("\0")
    person.open(INSTANCES)
    assert site.fixed_address(id_) in person.row(launched)


def test_its_log_is_shown(person: Browser, launched: str) -> None:
    """The log tab shows the output of the server's process."""
    person.open(INSTANCES)
    person.act(launched, "View Log")
    person.sees(f"{launched} serves HTTP on port 80")


def test_its_console_answers(person: Browser, launched: str) -> None:
    """A command typed into the console's page runs inside the server."""
    mark = secrets.token_hex(4)
    with person.console(launched):
        person.wait(lambda: "/ #" in person.terminal(), "a prompt")
        person.types(f"echo {mark}-$COLOUR-$((6 * 7))-`hostname`\n")
        answer = f"{mark}-green-42-{launched}"
        person.wait(lambda: answer in person.terminal(), answer)
        assert "Status: Open" in person.text


def test_an_interface_comes_and_goes(
    site: Site, owner: Tenant, person: Browser, things: Things, launched: str
) -> None:
    """By its network's name, and by the port's address."""
    id_ = things.server("server")
    network = owner.network("10.77.1.0/24", routed=False)
    person.open(INSTANCES)
    person.act(launched, "Attach Interface")
    person.choose("id_network", network)
    person.confirm("Attach Interface")
    person.wait(lambda: "10.77.1." in person.row(launched), "the second address")
    address = site.fixed_address(id_, network)
    assert f"inet {address}/24" in site.run(id_, "ip", "address")
    person.act(launched, "Detach Interface")
    person.choose("id_port", address)
    person.confirm("Detach Interface")
    person.wait(lambda: "10.77.1." not in person.row(launched), "the second address to go")
    assert f"inet {address}/24" not in site.run(id_, "ip", "address")


def test_a_floating_address_leads_to_it(person: Browser, launched: str) -> None:
    """A floating address is allocated and associated in one go, and answers."""
    person.open(INSTANCES)
    person.act(launched, "Associate Floating IP")
    person.click("//a[contains(@href, 'floating_ips/allocate')]")
    person.press("Allocate IP")
    person.confirm("Associate")
    person.wait(lambda: "172.24.4." in person.row(launched), "the floating address")
    words = person.row(launched).replace(",", " ").split()
    address = next(word for word in words if word.startswith("172.24.4."))
    assert f"Hello from {launched}" in page(address)


def test_it_reboots(site: Site, person: Browser, things: Things, launched: str) -> None:
    """A rebooted server has a new process."""
    before = site.container(things.server("server"))["State"]["StartedAt"]
    person.open(INSTANCES)
    person.act(launched, "Soft Reboot Instance")
    person.confirm("Soft Reboot Instance")
    site.wait(things.server("server"), "ACTIVE")
    assert site.container(things.server("server"))["State"]["StartedAt"] > before


@pytest.mark.parametrize(
    ("away", "state", "back"),
    [
        ("Pause Instance", "Paused", "Resume Instance"),
        ("Shut Off Instance", "Shutoff", "Start Instance"),
        ("Shelve Instance", "Shelved Offloaded", "Unshelve Instance"),
    ],
)
def test_it_goes_away_and_comes_back(
    person: Browser, launched: str, away: str, state: str, back: str
) -> None:
    """Each action of the menu is done, and the row says so."""
    person.open(INSTANCES)
    person.act(launched, away)
    if away == "Shut Off Instance":
        person.confirm(away)
    person.wait(lambda: state in person.row(launched), state)
    person.reload()
    person.act(launched, back)
    person.wait(lambda: "Active" in person.row(launched), "Active")


def test_a_snapshot_is_launched(site: Site, person: Browser, things: Things, launched: str) -> None:
    """A file written in a server is in the server launched from the snapshot."""
    site.run(things.server("server"), "sh", "-c", "echo kept >/kept")
    person.open(INSTANCES)
    person.act(launched, "Create Snapshot")
    name = things.name("snapshot")
    person.fill("name", name)
    person.confirm("Create Snapshot")
    person.wait(lambda: "Active" in person.row(name), f"{name} to be Active")
    again = things.name("again")
    person.launch(name=again, snapshot=name, flavor="c1.tiny", network="private")
    person.finish()
    person.wait(lambda: "Active" in person.row(again), f"{again} to be Active")
    assert site.run(things.server("again"), "cat", "/kept") == "kept\n"


def test_it_is_in_the_topology(person: Browser, launched: str) -> None:
    """In both of its pictures."""
    person.open("project/network_topology/")
    person.wait(lambda: launched in person.drawn(), launched)


def test_the_administrator_sees_its_host(
    visitor: Callable[[str], Browser], launched: str, site: Site
) -> None:
    """The hypervisor's page shows type and use, and no action refused by the driver."""
    administrator = visitor("admin")
    administrator.open("admin/hypervisors/")
    row = administrator.row(site.host.name)
    assert row.startswith(f"{site.host.name} docker ")
    administrator.open("admin/instances/")
    offered = administrator.offered(launched)
    assert "Hard Reboot Instance" in offered
    assert not [action for action in offered if "Migrate" in action or "Suspend" in action]


def test_it_is_deleted(site: Site, person: Browser, things: Things, launched: str) -> None:
    """And is gone from the list."""
    id_ = things.server("server")
    person.open(INSTANCES)
    person.act(launched, "Delete Instance")
    person.confirm("Delete Instance")
    person.wait(lambda: not person.row(launched), "the row to be gone")
    assert not site.engine.containers(all=True, filters={"name": id_})
