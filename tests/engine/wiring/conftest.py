# SPDX-License-Identifier: Apache-2.0
"""Host's side, switch and wiring, as in production."""

import ctypes
import gc
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import os_vif
import pytest
from nova.network import model
from oslo_config import cfg
from vif_plug_ovs.privsep import vif_plug

from novadocker.virt.docker.privileged import context as daemon
from novadocker.virt.docker.wiring import Wiring, backends
from tests.engine.wiring.contrail_ports import contrail_vif
from tests.engine.wiring.stand_in import (
    CLONE_NEWNET,
    LIBC,
    Server,
    Switch,
    an_instance,
    run,
    sleeping,
)
from tests.engine.wiring.vrouter_host import VRouterHost

CONTEXTS = (daemon.context, vif_plug)


@pytest.fixture(scope="package")
def host() -> Iterator[None]:
    """Network namespace of the host's side, entered before any process is started."""
    with Path("/proc/thread-self/ns/net").open() as before:
        assert LIBC.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        run("ip", "link", "set", "lo", "up")
        yield
        assert LIBC.setns(before.fileno(), CLONE_NEWNET) == 0


@pytest.fixture(scope="package")
def switch(host: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """Switch with a bridge, and os-vif told of the database."""
    with ExitStack() as stack:
        switch = Switch(tmp_path_factory.mktemp("ovs"))
        switch.start(stack)
        os_vif.initialize(reset=True)
        cfg.CONF.set_override("ovsdb_connection", switch.database, group="os_vif_ovs")
        os_vif.initialize(reset=True)
        yield switch
        cfg.CONF.clear_override("ovsdb_connection", group="os_vif_ovs")


@pytest.fixture(scope="package")
def vrouter(host: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VRouterHost]:
    """The vRouter agent's double, running."""
    made = VRouterHost(tmp_path_factory.mktemp("contrail") / "ports")
    made.start()
    yield made
    made.stop()


@contextmanager
def _oslo_privsep_keeping_files_open() -> Iterator[None]:
    """Leave the daemons' pipes to the garbage collector, as oslo.privsep does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        for thread in threading.enumerate():
            if thread.name == "fd_logger" and not any(c.channel for c in CONTEXTS):
                thread.join(timeout=10)
        gc.collect()


@pytest.fixture(scope="package")
def wiring(switch: Switch, vrouter: VRouterHost) -> Iterator[Wiring]:
    """Wiring under test, with daemons started in the way of a nova-compute that is root."""
    helper = str(Path(sys.prefix) / "bin" / "privsep-helper")
    for context in CONTEXTS:
        cfg.CONF.set_override("helper_command", helper, group=context.cfg_section)
    wiring = Wiring(backends.load(vrouter.options))
    with _oslo_privsep_keeping_files_open():
        wiring.warm_up()
    yield wiring
    for context in CONTEXTS:
        with _oslo_privsep_keeping_files_open():
            context.stop()
        cfg.CONF.clear_override("helper_command", group=context.cfg_section)


@pytest.fixture
def server(wiring: Wiring) -> Iterator[Callable[..., Server]]:
    """Maker of servers; remains are taken away."""
    with ExitStack() as stack:

        def make(*vifs: model.VIF) -> Server:
            instance = an_instance()
            server = Server(sleeping(), instance, list(vifs))
            stack.callback(server.unwire, wiring)
            stack.callback(server.end)
            return server

        yield make


@pytest.fixture
def one(server: Callable[..., Server]) -> Server:
    """A server with a port of Contrail's, not wired yet."""
    return server(contrail_vif(5))


@pytest.fixture
def agent_left_empty(vrouter: VRouterHost) -> Iterator[None]:
    """Assertion of a running agent without ports and troubles at the test's end."""
    yield
    if vrouter.server is None:
        vrouter.start()
    assert vrouter.ports == {}
    assert vrouter.files() == set()
    assert vrouter.server
    assert vrouter.server.agent.troubles == []
