# SPDX-License-Identifier: Apache-2.0
"""Work on a server's ports in processes that may be killed.

They are forked by a server that has all modules already, and no thread. Privileged calls are
made within them and not by their daemon, so that they are broken off too, which the daemon
would spare them.
"""

import multiprocessing
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import os_vif
from oslo_config import cfg
from vif_plug_ovs.ovs import OvsPlugin
from vif_plug_ovs.privsep import vif_plug

from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.privileged import context as daemon
from novadocker.virt.docker.wiring import Wiring, backends
from tests.engine.wiring.stand_in import Server

PATIENCE = 60

os_vif.objects.register_all()
OvsPlugin.load("ovs")  # its options are known then


@dataclass(frozen=True)
class Job:
    """Work on a server's ports.

    Attributes:
        words: "wire", "settled" or "unwire", in order.
        server: the server; of its instance only what can be carried over.
        pid: process in the container's place.
        vrouter: how the agent is found.
        database: Open vSwitch's.
    """

    words: tuple[str, ...]
    instance: dict[str, str]
    network_info: list[Any]
    pid: int
    vrouter: VRouterOptions
    database: str

    def run(self, life: float | None = None) -> bool:
        """Run the work, kill the process after a while, and tell whether the end was reached."""
        process = _CONTEXT.Process(target=_do, args=(self,))
        process.start()
        if life is not None:
            time.sleep(life)
            process.kill()
        process.join(PATIENCE)
        assert process.exitcode in (0, -9), f"{self.words}: {process.exitcode}"
        return process.exitcode == 0


def prepared() -> None:
    """Start the server of processes, and wait for a first answer."""
    process = _CONTEXT.Process(target=time.monotonic)
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.conftest", __name__])


def _do(job: Job) -> None:
    for context in (daemon.context, vif_plug):
        context.set_client_mode(False)
    cfg.CONF.set_override("ovsdb_connection", job.database, group="os_vif_ovs")
    wiring = Wiring(backends.load(job.vrouter))
    instance = SimpleNamespace(**job.instance, obj_attr_is_set=lambda name: False)
    process: Any = SimpleNamespace(pid=job.pid)
    server = Server(process, instance, job.network_info)
    wiring.resume()
    for word in job.words:
        if word == "unwire":
            server.unwire(wiring)
        else:
            changes = server.wire(wiring).changes
            assert word == "wire" or not changes, changes
