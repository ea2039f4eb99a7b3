# SPDX-License-Identifier: Apache-2.0
"""Kills of nova-compute in the middle of wiring, again and again, without remains."""

import json
import os
import random
import time
from collections.abc import Callable

import pytest

from tests.engine.wiring.killable import Job, prepared
from tests.engine.wiring.stand_in import Server, Switch, a_vif, run
from tests.engine.wiring.vrouter_host import STALE_SECONDS, VRouterHost

ROUNDS = int(os.environ.get("NOVADOCKER_KILL_ROUNDS", "12"))
SEED = int(os.environ.get("NOVADOCKER_KILL_SEED", str(random.randrange(10**6))))  # noqa: S311
EVERYTHING = 6  # three host ends, a port of the switch, a port file, an agent's entry


def traces(server: Server, switch: Switch, vrouter: VRouterHost) -> list[str]:
    """Name the remains of a server's ports, on the host and beyond."""
    devices = {vif["devname"] for vif in server.network_info}
    links = {link["ifname"] for link in json.loads(run("ip", "-j", "link"))}
    found = sorted(devices & links) + sorted(devices & set(switch.ports()))
    return found + sorted(vrouter.files()) + sorted(vrouter.ports)


@pytest.mark.timeout(120 + ROUNDS * 10)
def test_what_a_killed_driver_leaves_is_used_or_taken_away(
    server: Callable[..., Server], switch: Switch, vrouter: VRouterHost
) -> None:
    """A nova-compute that starts again wires the ports to the plan, and takes all away."""
    chance = random.Random(SEED)  # noqa: S311 - a seed that fails can be tried again
    one = server(a_vif(5, "ovs"), a_vif(6, "vrouter", nic=1), a_vif(7, "tap", nic=2))
    fields = ("uuid", "name", "display_name", "project_id")
    instance = {name: str(getattr(one.instance, name)) for name in fields}

    def run_job(*words: str, life: float | None = None) -> bool:
        pid, database = one.process.pid, switch.database
        job = Job(words, instance, one.network_info, pid, vrouter.options, database)
        return job.run(life)

    prepared()
    links = run("ip", "-brief", "link").count("\n")
    longest, kills = 0.0, 0
    for round_ in range(ROUNDS):
        words = f"seed {SEED}, round {round_}"
        for work in ("wire", "unwire"):
            kills += not run_job(work, life=chance.uniform(0, longest))
        if chance.random() < 0.3:  # the container ends while nobody looks
            one.restart()
        before = time.monotonic()
        assert run_job("wire", "settled"), words
        longest = 0.75 * (time.monotonic() - before)  # on this machine, at this hour
        assert len(traces(one, switch, vrouter)) == EVERYTHING, words
        assert run_job("unwire"), words
        assert traces(one, switch, vrouter) == [], words
    assert kills > ROUNDS // 2, "it was too quick to be killed"
    time.sleep(2 * STALE_SECONDS)
    assert traces(one, switch, vrouter) == []
    assert run("ip", "-brief", "link").count("\n") == links
