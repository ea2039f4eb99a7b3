# SPDX-License-Identifier: Apache-2.0
"""nova-compute died in the middle of something and starts again: one test for each such middle.

The rows are those of Nova's ``ComputeManager._init_instance``, and what its ``init_host`` looks
at before and after. All of a round are brought into their middle at once, while nova-compute is
down; what came of each is written down before the same servers serve the next round.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker.errors
import pytest
from nova.compute import power_state, task_states, vm_states

from novadocker.virt.docker.actions.snapshot import NAMESPACE
from tests.support import half_done
from tests.support.cloud_site import (
    PAUSE,
    Site,
    Tenant,
)
from tests.support.half_done import (
    at_its_gate,
    created,
    ended,
    lost,
    paused,
    rescue_ended,
    rescued,
    resized,
    snapshot_left,
    unmade,
    unplugged,
    whole,
    without_ports,
)

AT_ONCE = 4
PATIENCE = 120  # Nova looks for what it has deleted once a minute
PATIENCE_FOR_PAGE = 8
NOVA_COMPUTE = "nova-compute"
SHUTDOWN = power_state.SHUTDOWN


@dataclass(frozen=True)
class Row:
    """Middle of an action, with the required end.

    Args:
        vm_state: in Nova's record.
        task_state: as above.
        half: state of the host.
        status: server's status afterwards, for the tenant; empty for a server to be gone.
        container: container's state afterwards; empty for none.
        power: in Nova's record.
        process: "kept" or "new", where that matters.
        record: more that Nova's record says.
        before: earlier action of the tenant.
    """

    vm_state: str
    task_state: str | None
    half: Callable[[Site, str], None]
    status: str = "ACTIVE"
    container: str = "running"
    power: int = power_state.RUNNING
    process: str = ""
    record: Callable[[Site, str], None] | None = None
    before: Callable[[Site, str], None] = whole


def _reboots(kind: str) -> dict[str, Row]:
    suffix = "_hard" if kind == "hard" else ""
    active = vm_states.ACTIVE
    return {
        f"reboot_pending{suffix}, running": Row(
            active, f"reboot_pending{suffix}", whole, process="new"
        ),
        f"reboot_pending{suffix}, ended": Row(
            active, f"reboot_pending{suffix}", ended, process="new"
        ),
        f"rebooting{suffix}, running": Row(active, f"rebooting{suffix}", whole, process="kept"),
        f"rebooting{suffix}, ended": Row(active, f"rebooting{suffix}", ended, process="new"),
        f"reboot_started{suffix}, at its gate": Row(
            active, f"reboot_started{suffix}", at_its_gate, process="kept"
        ),
        f"reboot_started{suffix}, ended": Row(
            active, f"reboot_started{suffix}", ended, process="new"
        ),
    }


# Servers that go on, and can be brought into another middle.
GOING_ON = {
    **_reboots("soft"),
    **_reboots("hard"),
    "image_snapshot_pending": Row("active", task_states.IMAGE_SNAPSHOT_PENDING, whole),
    "image_snapshot, frozen": Row("active", task_states.IMAGE_SNAPSHOT, paused, process="kept"),
    "image_pending_upload, frozen": Row("active", task_states.IMAGE_PENDING_UPLOAD, paused),
    "image_uploading": Row("active", task_states.IMAGE_UPLOADING, snapshot_left, process="kept"),
    "resize_prep": Row("active", task_states.RESIZE_PREP, whole, process="kept"),
    "migrating": Row("active", task_states.MIGRATING, whole, process="kept"),
    "pausing, running": Row("active", task_states.PAUSING, whole, process="kept"),
    "pausing, frozen": Row("active", task_states.PAUSING, paused, process="kept"),
    "unpausing, running": Row("paused", task_states.UNPAUSING, whole, process="kept"),
    "unpausing, frozen": Row("paused", task_states.UNPAUSING, paused, process="kept"),
    "powering-on, ended": Row("stopped", task_states.POWERING_ON, ended, power=SHUTDOWN),
    "powering-on, at its gate": Row(
        "stopped", task_states.POWERING_ON, at_its_gate, power=SHUTDOWN
    ),
    "active, untouched": Row("active", None, whole, process="kept"),
    "active, ended": Row("active", None, ended, process="new"),
    "active, at its gate": Row("active", None, at_its_gate, process="kept"),
    "active, unplugged": Row("active", None, unplugged, process="kept"),
}
# Servers that end in another state, or that are gone.
AT_THE_END = {
    "unclaimed": Row(
        "building", None, unmade, "ERROR", "", record=half_done.record_unclaimed, power=0
    ),
    "building": Row("building", None, unmade, "ERROR", "", power=0),
    "scheduling": Row("building", task_states.SCHEDULING, unmade, "ERROR", "", power=0),
    "block_device_mapping": Row(
        "building", task_states.BLOCK_DEVICE_MAPPING, unmade, "ERROR", "", power=0
    ),
    "networking": Row("building", task_states.NETWORKING, unmade, "ERROR", "", power=0),
    "spawning, created": Row("building", task_states.SPAWNING, created, "ERROR", "", power=0),
    "spawning, at its gate": Row(
        "building", task_states.SPAWNING, at_its_gate, "ERROR", "", power=0
    ),
    "rebuilding": Row("active", task_states.REBUILDING, whole, "ERROR", process="kept"),
    "rebuild_block_device_mapping": Row(
        "active", task_states.REBUILD_BLOCK_DEVICE_MAPPING, unmade, "ERROR", ""
    ),
    "rebuild_spawning, at its gate": Row(
        "active", task_states.REBUILD_SPAWNING, at_its_gate, "ERROR", ""
    ),
    "deleting, untouched": Row("active", task_states.DELETING, whole, "", ""),
    "deleting, container gone": Row("active", task_states.DELETING, lost, "", ""),
    "deleting, in error": Row("error", task_states.DELETING, unmade, "", ""),
    "deleted, not yet in the record": Row("deleted", None, without_ports, "", "", power=0),
    "deleted, its container still there": Row(
        "deleted", None, whole, "", "", record=half_done.record_deleted
    ),
    "soft-deleted": Row("soft-delete", None, ended, "SOFT_DELETED", "exited", power=SHUTDOWN),
    "error": Row("error", None, ended, "ERROR", "exited", power=SHUTDOWN),
    "active, lost": Row("active", None, lost, "ERROR", ""),
    "powering-off, running": Row("active", task_states.POWERING_OFF, whole, "SHUTOFF", "exited"),
    "powering-off, ended": Row("active", task_states.POWERING_OFF, ended, "SHUTOFF", "exited"),
    "stopped, untouched": Row("stopped", None, ended, "SHUTOFF", "exited", power=SHUTDOWN),
    "stopped, started by somebody": Row(
        "stopped", None, at_its_gate, "SHUTOFF", "exited", power=SHUTDOWN
    ),
    "paused, untouched": Row(
        "paused", None, paused, "PAUSED", "paused", power=power_state.PAUSED, process="kept"
    ),
    "paused, ended": Row("paused", None, ended, "SHUTOFF", "exited", power=power_state.PAUSED),
    "resize_migrating": Row(
        "active",
        task_states.RESIZE_MIGRATING,
        ended,
        record=half_done.record_resize,
        before=resized,
    ),
    "resized, ended": Row("resized", None, ended, "VERIFY_RESIZE", process="new", before=resized),
    "rescued, ended": Row("rescued", None, rescue_ended, "RESCUE", process="new", before=rescued),
}
ROWS = GOING_ON | AT_THE_END
SERVERS = (len(ROWS) + 1) // 2
assert len(GOING_ON) >= SERVERS, "the second round needs servers that went on"


@dataclass(frozen=True)
class Outcome:
    """Outcome of a server."""

    server: str
    status: str = ""
    task_state: str | None = None
    container: str = ""
    process: str = ""
    answers: bool = False

    def agrees(self, row: Row) -> bool:
        """Compare the server with the required end."""
        return (self.status, self.container, self.task_state) == (row.status, row.container, None)


@pytest.fixture(scope="module")
def outcomes(site: Site, web: str, standing: str) -> Iterator[dict[str, Outcome]]:
    """Outcomes of the servers by row."""
    tenant, found = Tenant(site), {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            servers = list(pool.map(lambda _: tenant.request(web), range(SERVERS)))
            for server in servers:
                site.wait(server, "ACTIVE")
            names = list(ROWS)
            for rows in names[:SERVERS], names[SERVERS:]:
                serving = dict(zip(rows, servers, strict=False))
                list(
                    pool.map(
                        lambda name, server: ROWS[name].before(site, server),
                        serving.keys(),
                        serving.values(),
                    )
                )
                found |= _round(site, standing, serving)
            yield found
        finally:
            half_done.forget_migrations(site, tenant.servers)
            list(pool.map(tenant.delete, list(tenant.servers)))


def _round(site: Site, standing: str, servers: dict[str, str]) -> dict[str, Outcome]:
    addresses = {name: site.fixed_address(server) for name, server in servers.items()}
    site.stop(NOVA_COMPUTE)
    try:
        for name, server in servers.items():
            _break(site, ROWS[name], server)
        middles = {name: _process(site, server) for name, server in servers.items()}
    finally:
        site.start(NOVA_COMPUTE)
    outcomes = _settled(site, servers)
    return {
        name: dataclasses.replace(
            outcome,
            process="kept" if outcome.process == middles[name] else "new",
            answers=outcome.container == "running" and _answers(site, standing, addresses[name]),
        )
        for name, outcome in outcomes.items()
    }


def _break(site: Site, row: Row, server: str) -> None:
    row.half(site, server)
    half_done.record(site, server, row.vm_state, row.task_state, row.power)
    if row.record:
        row.record(site, server)


def _settled(site: Site, servers: dict[str, str]) -> dict[str, Outcome]:
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = {server.id: server for server in site.demo.compute.servers()}
        found = {
            # A soft-deleted server is in no list.
            name: _outcome(site, each, seen.get(each) or site.demo.compute.find_server(each))
            for name, each in servers.items()
        }
        if time.monotonic() > deadline or all(
            outcome.agrees(ROWS[name]) for name, outcome in found.items()
        ):
            return found
        time.sleep(PAUSE)


def _outcome(site: Site, server: str, seen: Any) -> Outcome:
    container = _container(site, server)
    return Outcome(
        server,
        status=seen.status if seen else "",
        task_state=seen.task_state if seen else None,
        container=container["State"]["Status"] if container else "",
        process=_process(site, server),
    )


def _container(site: Site, server: str) -> Any:
    try:
        return site.container(server)
    except docker.errors.NotFound:
        return None


def _process(site: Site, server: str) -> str:
    container = _container(site, server)
    return str(container["State"]["StartedAt"]) if container else ""


def _answers(site: Site, standing: str, address: str) -> bool:
    deadline = time.monotonic() + PATIENCE_FOR_PAGE
    while not (answered := site.reaches(standing, address)) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return answered


@pytest.mark.parametrize("name", list(ROWS))
def test_a_server_comes_out_of_the_middle(outcomes: dict[str, Outcome], name: str) -> None:
    """State, task, container, process and network are what the row says."""
    row, outcome = ROWS[name], outcomes[name]
    assert outcome.agrees(row), outcome
    assert outcome.process == row.process or not row.process
    assert outcome.answers is (row.container == "running"), outcome


def test_a_resize_that_was_cut_off_has_its_old_limits(
    site: Site, outcomes: dict[str, Outcome]
) -> None:
    """The container has the limits of the flavor again."""
    memory = site.demo.compute.find_flavor("c1.nano").ram
    limits = site.container(outcomes["resize_migrating"].server)["HostConfig"]
    assert limits["Memory"] == memory * 2**20


def test_no_image_of_a_snapshot_is_left(site: Site, outcomes: dict[str, Outcome]) -> None:
    """The commit of a cut-off snapshot is gone from the engine."""
    tags = [tag for image in site.engine.images() for tag in image["RepoTags"] or ()]
    assert not [tag for tag in tags if tag.startswith(NAMESPACE)]
