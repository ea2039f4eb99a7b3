# SPDX-License-Identifier: Apache-2.0
import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from nova import exception, objects
from nova.api.metadata import password
from nova.compute import vm_states

from novadocker import errors
from novadocker.virt.docker import translation
from novadocker.virt.docker.driver import CONF
from novadocker.virt.docker.engine import State
from tests.unit.virt.docker.nova_side import IMAGE_ID, PORT, UUID, Life, instance

# Instances become servers


def test_an_instance_becomes_a_server() -> None:
    """Flavor, names, metadata, key and image are all that of it concerns a container."""
    server = translation.server(instance())
    assert (server.uuid, server.project, server.host) == (UUID, "p1", "h1")
    assert (server.hostname, server.image, server.metadata) == (
        "web-1",
        IMAGE_ID,
        {"COLOUR": "red"},
    )
    assert server.public_key == "ssh-ed25519 AAAA"
    assert server.command_line == "/bin/httpd -f"
    assert (server.flavor.vcpus, server.flavor.memory_mib) == (2, 512)
    assert (server.flavor.root_gib, server.flavor.swap_mib) == (5, 64)
    assert server.flavor.extra_specs == {"docker:pids_limit": "99"}


def test_what_an_instance_lacks_is_empty() -> None:
    """No key pair, no command line, no metadata, no extra specs."""
    flavor = objects.Flavor(vcpus=1, memory_mb=64, root_gb=0, swap=0)
    server = translation.server(
        instance(key_data=None, metadata={}, system_metadata={}, flavor=flavor)
    )
    assert (server.public_key, server.command_line) == (None, None)
    assert (server.metadata, server.flavor.extra_specs) == ({}, {})


def test_every_state_of_a_container_has_its_news() -> None:
    """An engine can report none that Nova would not hear of."""
    assert set(translation.POWER_STATES) == set(State)
    assert set(translation.POWER_STATES.values()) == set(translation.TRANSITIONS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"task_state": "rebooting"}, False),
        ({"vm_state": vm_states.BUILDING}, False),
        ({"vm_state": vm_states.STOPPED}, True),
    ],
)
def test_an_instance_is_settled_without_a_task(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], expected: bool
) -> None:
    """Neither building nor in the middle of anything."""
    monkeypatch.setattr(objects.Instance, "get_by_uuid", lambda *_: instance(**changes))
    assert translation.settled(UUID) is expected


def test_an_instance_that_nova_deleted_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it to settle must not wait."""

    def gone(*_: Any) -> None:
        raise exception.InstanceNotFound(instance_id=UUID)

    monkeypatch.setattr(objects.Instance, "get_by_uuid", gone)
    with pytest.raises(LookupError):
        translation.settled(UUID)


@pytest.mark.parametrize("host", [None, "h1"])
def test_an_instance_that_has_moved_is_no_longer_ours(
    monkeypatch: pytest.MonkeyPatch, host: str | None
) -> None:
    """What its old container does is no news of it; one that is shelved has no host at all."""
    monkeypatch.setattr(CONF, "host", "h1")
    monkeypatch.setattr(objects.Instance, "get_by_uuid", lambda *_: instance(host=host))
    assert translation.settled_here(UUID) is True
    monkeypatch.setattr(objects.Instance, "get_by_uuid", lambda *_: instance(host="h2"))
    with pytest.raises(LookupError):
        translation.settled_here(UUID)


# Our errors become Nova's

UNAVAILABLE = errors.EngineUnavailable(url="unix:///e.sock", reason="gone")


REFUSED = errors.EngineError(action="start", reason="100% broken %(x)s")


MISSING = errors.ContainerNotFound(name="nova-1")


IMAGE = errors.ImageInvalid(image="i", reason="no manifest")


FETCH = errors.ImageFetchFailed(image="i", reason="broken off")


POLICY = errors.PolicyRefused(setting="s", value="v", accepted="a")


VIF = errors.VifRefused(port=PORT, vif_type="vhostuser", reason="no veth")


LATE = errors.PlugTimeout(port=PORT, seconds=300)


WIRING = errors.WiringError(port=PORT, reason="no bridge")


CONFLICT = errors.ContainerConflict(name="nova-1", label="novadocker.instance")


@pytest.mark.parametrize(
    ("ours", "novas"),
    [
        (IMAGE, exception.BuildAbortException),
        (errors.ImageFormatRefused(image="i", container_format="bare"), "abort"),
        (POLICY, "abort"),
        (VIF, "abort"),
        (LATE, "abort"),
        (FETCH, "reschedule"),
        (UNAVAILABLE, "reschedule"),
        (REFUSED, "reschedule"),
        (WIRING, "reschedule"),
        (CONFLICT, "reschedule"),
    ],
)
def test_the_requests_faults_end_a_build_and_the_hosts_move_it(
    docker_driver: Any, life: Life, ours: Exception, novas: Any
) -> None:
    """Nova tries another host unless no host could do it; the message is ours, whole."""
    life.fault = ours
    it = instance()
    with pytest.raises(exception.NovaException) as raised:
        docker_driver.spawn(None, it, it.image_meta, [], None, {}, [])
    assert isinstance(raised.value, exception.BuildAbortException) is (novas != "reschedule")
    assert str(ours) in str(raised.value)


@pytest.mark.parametrize(
    ("ours", "novas"),
    [
        (MISSING, exception.InstanceNotFound),
        (UNAVAILABLE, exception.HypervisorUnavailable),
        (REFUSED, exception.NovaException),
        (WIRING, exception.NovaException),
    ],
)
@pytest.mark.parametrize("call", ["power_on", "reboot", "destroy"])
def test_other_calls_say_what_nova_understands(
    docker_driver: Any, life: Life, call: str, ours: Exception, novas: type[Exception]
) -> None:
    """Nova handles a container that is gone and an engine that is away by their classes."""
    life.fault = ours
    more = ["HARD"] if call == "reboot" else []
    with pytest.raises(novas):
        getattr(docker_driver, call)(None, instance(), [], *more)


# Passwords


def test_a_refused_password_is_told_with_its_reason() -> None:
    """Nova shows the reason of this one to whoever asked, and the server stays as it was."""
    refused = errors.PasswordNotSet(user="web", reason="it has no chpasswd")
    with (
        pytest.raises(exception.SetAdminPasswdNotSupported, match=r"user web .* no chpasswd"),
        translation.as_password_errors(instance()),
    ):
        raise refused


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (errors.ContainerNotFound(name="nova-1"), exception.InstanceNotFound),
        (UNAVAILABLE, exception.HypervisorUnavailable),
        (REFUSED, exception.NovaException),
    ],
)
def test_a_failure_of_the_host_is_no_refusal(fault: Exception, expected: type[Exception]) -> None:
    """The tenant's image is not at fault."""
    with pytest.raises(expected) as raised, translation.as_password_errors(instance()):
        raise fault
    assert not isinstance(raised.value, exception.SetAdminPasswdNotSupported)


def test_a_password_is_kept_for_the_owner_of_an_rsa_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the private key can ask Nova for it; other kinds of keys cannot hide anything."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    monkeypatch.setattr(objects.Instance, "save", lambda _: None)
    with_rsa, with_other = instance(key_data=public.decode(), system_metadata={}), instance()
    for each in (with_rsa, with_other):
        translation.keep_password(each, "secret")
    kept = base64.b64decode(password.extract_password(with_rsa))
    assert private.decrypt(kept, padding.PKCS1v15()) == b"secret"
    assert not password.extract_password(with_other)


def test_what_an_image_says_of_its_containers_is_taken() -> None:
    """Of Nova's record of it, since its account of images knows none of these."""
    said = {
        "image_docker_cap_drop": "ALL",
        "image_os_command_line": "/bin/httpd",
        "docker_profile": "not the image's",
    }
    server = translation.server(instance(system_metadata=said))
    assert server.image_properties == {"docker_cap_drop": "ALL"}
