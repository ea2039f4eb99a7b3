# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects
from nova.virt import driver as nova_driver

from novadocker.virt.docker.compute.unsupported import Unsupported
from tests.unit.virt.docker.nova_side import Life, instance

SHARE = SimpleNamespace(share_id="s1")
# Arguments after self, what Nova is to make of it, and a word of the reason.
CASES: dict[str, tuple[tuple[Any, ...], type[Exception], str]] = {
    "get_vnc_console": ((None, None), exception.ConsoleTypeUnavailable, "novnc"),
    "get_spice_console": ((None, None), exception.ConsoleTypeUnavailable, "spice-html5"),
    "get_mks_console": ((None, None), exception.ConsoleTypeUnavailable, "webmks"),
    "swap_volume": ((None, {}, {}, None, "", 0), exception.InvalidVolume, "detach"),
    "mount_share": ((None, instance(), SHARE), exception.ShareMountError, "attach a volume"),
    "quiesce": ((None, None, None), exception.InstanceQuiesceNotSupported, "snapshot"),
    "unquiesce": ((None, None, None), exception.InstanceQuiesceNotSupported, "snapshot"),
}


def test_every_refusal_is_tried_here() -> None:
    """And each is a method of Nova's that it would else answer with less."""
    refused = {name for name in vars(Unsupported) if not name.startswith("_")}
    assert refused == set(CASES)
    assert all(hasattr(nova_driver.ComputeDriver, name) for name in refused)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_refusal_says_that_it_is_not_for_containers_and_why(
    docker_driver: Any, name: str
) -> None:
    """By the exception that makes Nova leave the server as it is and show the reason."""
    arguments, kind, word = CASES[name]
    with pytest.raises(kind) as raised:
        getattr(docker_driver, name)(*arguments)
    shown = getattr(raised.value, "inner_exception", raised.value)
    assert "not for containers: " in shown.format_message()
    assert word in shown.format_message()


def test_names_of_local_disks_are_novas(docker_driver: Any) -> None:
    """A server's root and swap have names in Nova's database, without a driver's help."""
    with pytest.raises(NotImplementedError):
        docker_driver.get_device_name_for_instance(None, [], SimpleNamespace(is_volume=False))


UEFI = objects.ImageMeta.from_dict({"properties": {"hw_firmware_type": "uefi"}})
SAID = "not for containers: hw_firmware_type = uefi"


def rebuild(docker_driver: Any, image_meta: Any) -> None:
    """Rebuild a server as Nova does."""
    docker_driver.rebuild(None, instance(), image_meta, [], None, {}, [], None, None)


def test_a_machines_image_ends_the_build(docker_driver: Any, life: Life) -> None:
    """Before anything is made of it, in every call that gets an image."""
    it = instance()
    with pytest.raises(exception.BuildAbortException, match=SAID):
        docker_driver.spawn(None, it, UEFI, [], None, {}, [])
    with pytest.raises(exception.InstanceFaultRollback, match=SAID):
        rebuild(docker_driver, UEFI)
    assert life.calls == []


def test_a_rebuild_that_can_be_is_novas_own(docker_driver: Any) -> None:
    """It destroys and spawns where a driver knows nothing better."""
    with pytest.raises(NotImplementedError):
        rebuild(docker_driver, instance().image_meta)
