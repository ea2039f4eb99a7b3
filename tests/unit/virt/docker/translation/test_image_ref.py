# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from nova import exception, objects

from novadocker.virt.docker.translation import image_ref
from tests.unit.virt.docker.nova_side import IMAGE_ID, instance

OLD = "01d00000-0000-4000-8000-000000000001"


class Glance:
    """An image service with one image, or none."""

    def __init__(self, image: dict[str, Any] | None) -> None:
        """Take the image."""
        self._image = image

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Describe it."""
        if self._image is None:
            raise exception.ImageNotFound(image_id=image_id)
        return self._image


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images of instances that were saved."""
    found: list[str] = []
    monkeypatch.setattr(objects.Instance, "save", lambda it: found.append(it.image_ref))
    return found


def rebuilt() -> objects.Instance:
    """Return an instance of which Nova has written down that it has another image."""
    flavor = objects.Flavor(vcpus=1, memory_mb=64, root_gb=1, swap=0)
    told = {"image_hw_firmware_type": "uefi", "image_min_disk": "9", "old_vm_state": "active"}
    return instance(system_metadata=told, flavor=flavor, kernel_id="k", ramdisk_id="r")


def test_a_server_is_of_its_old_image_again(saved: list[str]) -> None:
    """With that one's properties and none of the other's; what is not an image's stays."""
    it = rebuilt()
    image = {"properties": {"os_command_line": "/bin/httpd"}, "container_format": "docker"}
    image_ref.restore(None, it, Glance(image), OLD)
    assert it.system_metadata == {
        "image_os_command_line": "/bin/httpd",
        "image_container_format": "docker",
        "image_min_disk": "1",
        "image_base_image_ref": OLD,
        "old_vm_state": "active",
    }
    assert (it.image_ref, it.kernel_id, it.ramdisk_id) == (OLD, "", "")
    assert saved == [OLD]


def test_an_image_that_is_deleted_is_still_the_servers(saved: list[str]) -> None:
    """Its id is true, and the other's properties are not."""
    it = rebuilt()
    image_ref.restore(None, it, Glance(None), OLD)
    assert "image_hw_firmware_type" not in it.system_metadata
    assert saved == [OLD]


def test_a_server_of_the_same_image_is_left_alone(saved: list[str]) -> None:
    """There is nothing to restore, and nothing is asked."""
    image_ref.restore(None, rebuilt(), None, IMAGE_ID)
    assert saved == []
