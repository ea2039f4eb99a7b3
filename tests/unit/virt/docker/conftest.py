# SPDX-License-Identifier: Apache-2.0
"""Saved images, made on the spot in every form that tools write; a driver without an engine."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

with warnings.catch_warnings():
    # Nova and what it stands on warn of themselves when they are imported; it is not our code.
    warnings.simplefilter("ignore")
    importlib.import_module("nova.objects.image_meta")
    from novadocker.policy import Bounds
    from novadocker.virt.docker.actions.allowance import Allowance
    from novadocker.virt.docker.actions.interfaces import Interfaces
    from novadocker.virt.docker.actions.lifecycle import Lifecycle
    from novadocker.virt.docker.actions.recovery.recovery import Recovery
    from novadocker.virt.docker.actions.rescue import Rescue
    from novadocker.virt.docker.actions.resize import Resize
    from novadocker.virt.docker.actions.volumes import VolumeChanges
    from novadocker.virt.docker.compute.assembly import assemble
    from novadocker.virt.docker.compute.networks import trunks
    from novadocker.virt.docker.conf import options
    from novadocker.virt.docker.driver import CONF, DockerDriver
    from novadocker.virt.docker.migration.departure import Departures
    from tests.unit.virt.docker.nova_side import FixedHost, Life, Neutron, Tags, VirtAPI


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
    virtapi: VirtAPI, life: Life, tags: Tags, neutron: Neutron, option: Callable[..., None]
) -> Any:
    """A driver whose actions are noted."""
    option("host", "h1")
    parts = replace(
        assemble(CONF, virtapi),
        tags=tags,
        allowance=Allowance(FixedHost(), 64, Bounds()),
        lifecycle=life.of(Lifecycle),
        rescue=life.of(Rescue),
        resize=life.of(Resize),
        interfaces=life.of(Interfaces),
        recovery=life.of(Recovery),
        volume_changes=life.of(VolumeChanges),
        departures=life.of(Departures),
        stale=SimpleNamespace(remove=lambda *_: None),
    )
    return DockerDriver(virtapi, parts)


@pytest.fixture
def option() -> Iterator[Callable[..., None]]:
    """How to set an option of nova.conf for one test."""
    changed: list[tuple[str, str | None]] = []

    def change(name: str, value: Any, group: str | None = None) -> None:
        if group == "docker":
            options.register(CONF)
        changed.append((name, group))
        CONF.set_override(name, value, group)

    yield change
    for name, group in changed:
        CONF.clear_override(name, group)
