# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure
from neutronclient.common.exceptions import NotFound, Unauthorized
from nova import exception

from novadocker.errors import TrunkRefused
from novadocker.policy.settings import Rights
from novadocker.virt.docker.compute.networks.trunks import refuse_trunks
from tests.unit.virt.docker.nova_side import PORT, Neutron, instance

TRUNK = "7a000000-0000-4000-8000-000000000001"


def trunk(*vlans: int) -> dict[str, Any]:
    """Return a trunk as Neutron tells of it."""
    return {"id": TRUNK, "port_id": PORT, "sub_ports": [{"segmentation_id": v} for v in vlans]}


def test_a_trunk_with_subports_is_refused(neutron: Neutron) -> None:
    """The refusal names port, trunk and VLANs, and what to do."""
    neutron.trunks = [trunk(), trunk(101, 102)]
    with pytest.raises(TrunkRefused, match="grants NET_ADMIN") as caught:
        refuse_trunks(None, [PORT], Rights())
    assert caught.value.values == {"port": PORT, "trunk": TRUNK, "vlans": "101, 102"}
    assert neutron.asked == [{"port_id": [PORT]}]


@pytest.mark.parametrize("trunks", [[], [trunk()]])
def test_others_are_not(neutron: Neutron, trunks: Any) -> None:
    """No trunk, one without subports."""
    neutron.trunks = trunks
    refuse_trunks(None, [PORT], Rights())


@pytest.mark.parametrize(
    ("fault", "told"),
    [(NotFound(), ""), (Unauthorized(), "Cannot ask"), (ConnectFailure("away"), "away")],
)
def test_a_neutron_that_cannot_be_asked_stops_no_server(
    neutron: Neutron, caplog: pytest.LogCaptureFixture, fault: Exception, told: str
) -> None:
    """One without trunks is nothing to tell of."""
    neutron.fault = fault
    refuse_trunks(None, [PORT], Rights())
    assert told in caplog.text
    assert bool(caplog.text) == bool(told)


def test_a_server_that_may_make_interfaces_has_what_it_needs(neutron: Neutron) -> None:
    """And one without ports has no trunk; neither is asked for."""
    neutron.trunks = [trunk(101)]
    refuse_trunks(None, [PORT], Rights(capabilities=("CHOWN", "NET_ADMIN")))
    refuse_trunks(None, [], Rights())
    assert not neutron.asked


def test_a_running_server_does_not_get_a_trunks_port(
    docker_driver: Any, life: Any, neutron: Neutron
) -> None:
    """It is refused before anything of it is attached."""
    neutron.trunks = [trunk(101)]
    with pytest.raises(exception.NovaException, match=TRUNK):
        docker_driver.attach_interface(None, instance(), None, {"id": PORT})
    assert not life.calls
