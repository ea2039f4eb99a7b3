# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import pytest

from novadocker import errors
from novadocker.virt.docker.compute.ports import Ports
from novadocker.virt.docker.network.networking import Network
from tests.unit.virt.docker.nova_side import PORT, VirtAPI, instance


def network_of(virtapi: VirtAPI, *vifs: dict[str, Any], wait: bool = True) -> Network:
    """Return the ports of a server as they are handed on."""
    return Ports(virtapi).of(instance(), list(vifs), wait=wait)


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
    with network_of(virtapi, vif).plugged():
        assert virtapi.waited_for == []
    assert virtapi.waited_for == expected


def test_nothing_is_waited_for_where_nobody_tells(virtapi: VirtAPI) -> None:
    """Contrail sends no news of a port that is plugged; its ports are active, or never will be."""
    vifs = [{"id": PORT, "active": False, "type": vif_type} for vif_type in ("vrouter", "ovs")]
    with Ports(virtapi, silent={"vrouter"}).of(instance(), vifs).plugged():
        pass
    assert virtapi.waited_for == [("network-vif-plugged", PORT)]


def test_a_timeout_of_zero_waits_for_nothing(
    virtapi: VirtAPI, option: Callable[[str, Any], None]
) -> None:
    """As vif_plugging_timeout documents."""
    option("vif_plugging_timeout", 0)
    with network_of(virtapi, {"id": PORT, "active": False}).plugged():
        pass
    assert virtapi.waited_for == []


def test_what_runs_already_does_not_wait(virtapi: VirtAPI) -> None:
    """A start or a repair is no boot: its ports are known to be bound."""
    with network_of(virtapi, {"id": PORT, "active": False}, wait=False).plugged():
        pass
    assert virtapi.waited_for == []


def test_an_event_that_never_comes_ends_the_boot(virtapi: VirtAPI) -> None:
    """The error names port and time."""
    virtapi.late = True
    waiting = network_of(virtapi, {"id": PORT, "active": False}).plugged()
    with pytest.raises(errors.PlugTimeout, match=f"port {PORT} as plugged within 300 s"), waiting:
        pass


def test_an_operator_may_boot_without_the_event(
    virtapi: VirtAPI, option: Callable[[str, Any], None]
) -> None:
    """As vif_plugging_is_fatal documents."""
    option("vif_plugging_is_fatal", False)
    virtapi.late = True
    with network_of(virtapi, {"id": PORT, "active": False}).plugged():
        pass


def test_neutrons_refusal_ends_the_boot(virtapi: VirtAPI) -> None:
    """The error names the port."""
    virtapi.failed = True
    waiting = network_of(virtapi, {"id": PORT, "active": False}).plugged()
    with pytest.raises(errors.WiringError, match=f"Port {PORT} .* failed to plug"), waiting:
        pass
