# SPDX-License-Identifier: Apache-2.0
"""Saved images, made on the spot in every form that tools write; a driver without an engine."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    # Nova and what it stands on warn of themselves when they are imported; it is not our code.
    warnings.simplefilter("ignore")
    importlib.import_module("nova.objects.image_meta")
    from novadocker.virt.docker.compute import telling, trunks
    from novadocker.virt.docker.driver import CONF, DockerDriver
    from tests.unit.virt.docker.nova_side import Life, Neutron, Tags, VirtAPI


@pytest.fixture
def virtapi() -> VirtAPI:
    """Nova's side."""
    return VirtAPI()


@pytest.fixture
def life() -> Life:
    """What the driver hands its work to."""
    return Life()


@pytest.fixture
def tags() -> Tags:
    """The tags of the server, one of them its tenant's."""
    return Tags("mine")


@pytest.fixture
def neutron(monkeypatch: pytest.MonkeyPatch) -> Neutron:
    """Neutron, with no trunks yet."""
    made = Neutron()
    monkeypatch.setattr(trunks.neutron, "get_client", lambda *_, **__: made)
    return made


@pytest.fixture
def docker_driver(
    virtapi: VirtAPI, life: Life, tags: Tags, neutron: Neutron, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A driver after its start."""
    monkeypatch.setattr(telling, "ServerTags", lambda: tags)
    made: Any = DockerDriver(virtapi)
    made._hostname = "h1"
    made._lifecycle = life
    return made


@pytest.fixture
def option() -> Iterator[Callable[[str, Any], None]]:
    """How to set an option of nova.conf for one test."""
    changed: list[str] = []

    def change(name: str, value: Any) -> None:
        changed.append(name)
        CONF.set_override(name, value)

    yield change
    for name in changed:
        CONF.clear_override(name)
