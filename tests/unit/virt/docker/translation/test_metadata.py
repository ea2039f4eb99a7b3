# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from nova import objects

from novadocker.virt.docker.translation import metadata
from tests.unit.virt.docker.nova_side import PORT, UUID, instance

OTHER = "70a70000-0000-4000-8000-000000000002"


def vif(port: str, mac: str, tag: str | None) -> objects.VirtualInterface:
    """Return an interface as Nova's database has it."""
    return objects.VirtualInterface(uuid=port, address=mac, tag=tag)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The interfaces that Nova knows."""
    found: list[Any] = []
    monkeypatch.setattr(objects.VirtualInterfaceList, "get_by_instance_uuid", lambda *_: found)
    return found


class Saved(objects.Instance):  # type: ignore[misc]
    """An instance that notes when it is saved."""

    saves = 0

    def save(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.saves += 1


def test_tagged_interfaces_are_known_by_their_macs(known: list[Any]) -> None:
    """Those without a tag are not told, and no bus is made up."""
    known += [vif(PORT, "fa:16:3e:00:00:01", "mgmt"), vif(OTHER, "fa:16:3e:00:00:02", None)]
    found = metadata.device_metadata(None, instance())
    assert found
    (device,) = found.devices
    assert (device.mac, device.tags) == ("fa:16:3e:00:00:01", ["mgmt"])
    assert "bus" not in device


def test_an_interface_that_goes_is_not_told(known: list[Any]) -> None:
    """Nova forgets it only after the driver has let go of it."""
    known.append(vif(PORT, "fa:16:3e:00:00:01", "mgmt"))
    assert metadata.device_metadata(None, instance(), without=PORT) is None


def test_an_instance_is_saved_only_where_tags_are_or_were(known: list[Any]) -> None:
    """Each save is a call to the conductor."""
    it = Saved(uuid=UUID)
    metadata.describe_devices(None, it)
    assert it.saves == 0
    known.append(vif(PORT, "fa:16:3e:00:00:01", "mgmt"))
    metadata.describe_devices(None, it)
    assert (it.saves, len(it.device_metadata.devices)) == (1, 1)
    metadata.describe_devices(None, it, without=PORT)
    assert (it.saves, it.device_metadata) == (2, None)
