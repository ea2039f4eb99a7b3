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

    def obj_load_attr(self, attrname: str) -> None:
        """Load nothing: Nova's database knows no device."""
        self.device_metadata = None

    def save(self, *_: Any, **__: Any) -> None:
        """Note it."""
        self.saves += 1


def test_tagged_interfaces_are_known_by_their_macs(known: list[Any]) -> None:
    """Those without a tag are not told, and no bus is made up."""
    known += [vif(PORT, "fa:16:3e:00:00:01", "mgmt"), vif(OTHER, "fa:16:3e:00:00:02", None)]
    (device,) = metadata.tagged_interfaces(None, instance())
    assert (device.mac, device.tags) == ("fa:16:3e:00:00:01", ["mgmt"])
    assert "bus" not in device


def test_an_interface_that_goes_is_not_told(known: list[Any]) -> None:
    """Nova forgets it only after the driver has let go of it."""
    known.append(vif(PORT, "fa:16:3e:00:00:01", "mgmt"))
    assert metadata.tagged_interfaces(None, instance(), without=PORT) == []


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


def test_tags_of_interfaces_and_volumes_stay_beside_each_other(known: list[Any]) -> None:
    """Each attachment and detachment of one kind keeps the devices of the other."""
    it = Saved(uuid=UUID)

    def tags() -> list[str]:
        return sorted(each.tags[0] for each in it.device_metadata.devices)

    metadata.describe_disk(it, "v1", "/srv", "data")
    known.append(vif(PORT, "fa:16:3e:00:00:01", "mgmt"))
    metadata.describe_devices(None, it)
    assert tags() == ["data", "mgmt"]
    metadata.describe_disk(it, "v1", "/mnt", "logs")
    assert tags() == ["logs", "mgmt"]
    metadata.describe_devices(None, it, without=PORT)
    assert tags() == ["logs"]
    metadata.forget_disk(it, "v1")
    assert tags() == []


def test_nova_finds_a_list_of_devices_after_every_detach() -> None:
    """Nova looks through an instance's devices after the detach of a tagged volume."""
    it = Saved(uuid=UUID)
    metadata.forget_disk(it, "v1")
    assert (it.saves, it.device_metadata.devices) == (0, [])
