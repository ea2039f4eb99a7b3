# SPDX-License-Identifier: Apache-2.0
"""The mechanism driver that binds ports as Contrail does, and what it tells the control node."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from oslo_config import cfg

from novadocker.cloud.doubles.opensdn import neutron
from novadocker.cloud.doubles.opensdn.control import ControlNode, Subnet

NETWORK = {"id": "red", "provider:segmentation_id": 77}
SUBNET = {"network_id": "red", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1"}


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[neutron.VRouterMechanismDriver]:
    """The driver, as Neutron's server has it."""
    made = neutron.VRouterMechanismDriver()
    cfg.CONF.register_opts(neutron._OPTIONS, neutron.GROUP)
    cfg.CONF.set_override("networks", str(tmp_path), neutron.GROUP)
    made.initialize()
    yield made
    cfg.CONF.clear_override("networks", neutron.GROUP)


def _network() -> Any:
    return SimpleNamespace(current=NETWORK)


def _subnet() -> Any:
    return SimpleNamespace(current=SUBNET, network=_network())


def test_a_port_is_bound_as_contrail_binds_it(driver: neutron.VRouterMechanismDriver) -> None:
    """As vrouter, filtered by it, on any host, and active at once."""
    said: list[Any] = []
    context = SimpleNamespace(
        segments_to_bind=[{"id": "segment"}],
        set_binding=lambda *values, **more: said.append((values, more)),
    )
    driver.bind_port(context)
    assert said == [(("segment", "vrouter", {"port_filter": True}), {"status": "ACTIVE"})]


def test_agents_are_told_of_networks_and_subnets(
    driver: neutron.VRouterMechanismDriver, tmp_path: Path
) -> None:
    """What is made, changed and deleted; the targets that a policy exchanged stay."""
    control = ControlNode(tmp_path)
    driver.create_network_postcommit(_network())
    driver.create_subnet_postcommit(_subnet())
    (red,) = control
    assert (red.id, red.number, red.target) == ("red", 77, "64512:77")
    assert red.subnets == (Subnet("10.0.0.0/24", "10.0.0.1"),)
    driver.create_network_postcommit(
        SimpleNamespace(current={"id": "blue", "provider:segmentation_id": 78})
    )
    control.join("red", "blue")
    driver.delete_subnet_postcommit(_subnet())
    again = control.get("red")
    assert again
    assert (again.subnets, again.imports) == ((), frozenset({"64512:78"}))
    control.part("blue", "red")
    assert not any(network.imports for network in control)
    driver.delete_network_postcommit(_network())
    assert [network.id for network in control] == ["blue"]
