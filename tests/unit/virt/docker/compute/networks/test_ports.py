# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Collection
from typing import Any

import pytest

from novadocker import errors
from novadocker.virt.docker.compute.networks.ports import Ports
from novadocker.virt.docker.network.networking import Network
from tests.support.eventually import eventually
from tests.unit.virt.docker.nova_side import PORT, VirtAPI, instance


def network_of(virtapi: VirtAPI, *vifs: dict[str, Any], silent: Collection[str] = ()) -> Network:
    """Return the ports of a new server as they are handed on."""
    return Ports(virtapi, silent).new_network_of(instance(), list(vifs))


def plug(network: Network) -> None:
    """Plug nothing, and wait for Neutron."""
    with network.expected() as event:
        event.wait()


@pytest.mark.parametrize(
    ("vif", "expected"),
    [
        ({"id": PORT, "active": False}, [("network-vif-plugged", PORT)]),
        ({"id": PORT, "active": True}, []),
        ({"id": PORT}, []),
    ],
)
def test_a_boot_waits_for_ports_that_are_not_up(
    virtapi: VirtAPI, vif: dict[str, Any], expected: list[Any]
) -> None:
    """Neutron tells nothing of a port that is up already."""
    with network_of(virtapi, vif).expected() as event:
        assert virtapi.waited_for == []
        event.wait()
        assert virtapi.waited_for == expected


def test_nothing_is_waited_for_where_nobody_tells(virtapi: VirtAPI) -> None:
    """Contrail sends no news of a port that is plugged; its ports are active, or never will be."""
    vifs = [{"id": PORT, "active": False, "type": vif_type} for vif_type in ("vrouter", "ovs")]
    plug(network_of(virtapi, *vifs, silent={"vrouter"}))
    assert virtapi.waited_for == [("network-vif-plugged", PORT)]


def test_a_timeout_of_zero_waits_for_nothing(
    virtapi: VirtAPI, option: Callable[[str, Any], None]
) -> None:
    """As vif_plugging_timeout documents."""
    option("vif_plugging_timeout", 0)
    plug(network_of(virtapi, {"id": PORT, "active": False}))
    assert virtapi.waited_for == []


def test_what_runs_already_does_not_wait(virtapi: VirtAPI) -> None:
    """A start or a repair is no boot: its ports are known to be bound."""
    plug(Ports(virtapi).network_of(instance(), [{"id": PORT, "active": False}]))
    assert virtapi.waited_for == []


def test_an_event_that_never_comes_ends_the_boot(virtapi: VirtAPI) -> None:
    """The error names port and time."""
    virtapi.late = True
    network = network_of(virtapi, {"id": PORT, "active": False})
    with pytest.raises(errors.PlugTimeout, match=f"port {PORT} as plugged within 300 s"):
        plug(network)


def test_an_operator_may_boot_without_the_event(
    virtapi: VirtAPI, option: Callable[[str, Any], None]
) -> None:
    """As vif_plugging_is_fatal documents."""
    option("vif_plugging_is_fatal", False)
    virtapi.late = True
    plug(network_of(virtapi, {"id": PORT, "active": False}))


def test_neutrons_refusal_ends_the_boot(virtapi: VirtAPI) -> None:
    """The error names the port."""
    virtapi.failed = True
    network = network_of(virtapi, {"id": PORT, "active": False})
    with pytest.raises(errors.WiringError, match=f"Port {PORT} .* failed to plug"):
        plug(network)


def test_a_fault_before_the_wait_ends_the_boot_without_one(virtapi: VirtAPI) -> None:
    """Plugging that failed has no event that would come."""
    network = network_of(virtapi, {"id": PORT, "active": False})
    with pytest.raises(LookupError), network.expected():
        raise LookupError
    assert virtapi.waited_for == []


def test_flows_in_place_end_the_wait_before_neutrons_event(virtapi: VirtAPI) -> None:
    """OVN's mark on each interface opens the gate; the event is still listened for."""
    virtapi.reported.clear()
    looks = iter([False, True, True, True])
    vifs = [{"id": PORT, "active": False}, {"id": "another", "active": False}]
    network = Ports(virtapi, installed=lambda _vif: next(looks)).new_network_of(instance(), vifs)
    plug(network)
    assert next(looks) is True  # one port was not enough
    virtapi.reported.set()


def test_an_event_that_fails_after_the_flows_is_logged(
    virtapi: VirtAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """The server has its network, so that Neutron's late word ends nothing."""
    virtapi.reported.clear()
    virtapi.failed = True
    network = Ports(virtapi, installed=lambda _vif: True).new_network_of(
        instance(), [{"id": PORT, "active": False}]
    )
    plug(network)
    virtapi.reported.set()
    assert eventually(lambda: f"Flows of port {PORT} were in place" in caplog.text)
