# SPDX-License-Identifier: Apache-2.0
"""Nova's calls for a port that comes to a server, or goes."""

from typing import Any

import pytest
from nova import exception, objects
from nova.network import model

from novadocker.virt.docker.translation import metadata
from tests.unit.virt.docker.nova_side import UUID, Life, instance


@pytest.mark.parametrize("call", ["attach", "detach"])
def test_a_port_is_attached_among_those_that_nova_has_now(
    docker_driver: Any, life: Life, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """They are read when it is the server's turn, not when Nova called."""
    described: list[Any] = []
    monkeypatch.setattr(metadata, "describe_devices", lambda *a, **kw: described.append(kw))
    cache = objects.InstanceInfoCache(network_info=model.NetworkInfo([]))
    monkeypatch.setattr(objects.InstanceInfoCache, "refresh", lambda _: None)
    it, vif = instance(info_cache=cache, deleted=False), model.VIF(id="p2")
    if call == "attach":
        docker_driver.attach_interface(None, it, it.image_meta, vif)
    else:
        docker_driver.detach_interface(None, it, vif)
    (noted,) = life.calls
    assert (noted.action, noted.server.uuid, noted.vif) == (f"Interfaces.{call}", UUID, vif)
    cache.network_info = model.NetworkInfo([vif])
    assert [each["id"] for each in noted.ports().info] == ["p2"]
    assert described == [{}] if call == "attach" else [{"without": "p2"}]


def test_an_interface_whose_tag_cannot_be_told_is_taken_back(
    docker_driver: Any, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nova then gives its port back."""

    def broken(*_: Any) -> None:
        raise exception.NovaException("no database")

    monkeypatch.setattr(metadata, "describe_devices", broken)
    with pytest.raises(exception.NovaException, match="no database"):
        docker_driver.attach_interface(None, instance(), None, {"id": "p2"})
    assert [call.action for call in life.calls] == ["Interfaces.attach", "Interfaces.detach"]
