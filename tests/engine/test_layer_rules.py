# SPDX-License-Identifier: Apache-2.0
"""The engine and the checker agree on layers: sound ones load, misfits of the engine do not."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from novadocker.errors import EngineError
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.engine.connection import Connection
from tests.engine.virt.conftest import rootfs, saved
from tests.unit.archive.hostile_layers import HOSTILE, SOUND
from tests.unit.archive.members import END

# Refused by the checker since the engine refuses them, on each host in turn.
MISFITS = (
    "a file below what a whiteout hides",
    "a device below what a whiteout hides",
    "a directory below what a whiteout hides",
    "a whiteout of a file of its own layer",
    "a whiteout of a directory of its own layer",
    "a file below a file",
    "a directory behind a link to nothing",
    "a file behind a link to nothing",
    "an owner that no container has",
    "a group that no container has",
    "an owner in pax",
    "a time in letters",
    "a time in letters in pax",
    "a size in letters, and a mode",
    "an owner in letters in pax",
    "a zero byte in a user's name",
    "a key of no letters",
)


@pytest.fixture(scope="module")
def engine(engine_socket: Path) -> Iterator[Engine]:
    """Client of a real engine."""
    made = Engine(Connection(f"unix://{engine_socket}", timeout=60))
    yield made
    made._api.close()


def load(engine: Engine, layer: bytes) -> None:
    """Load an image of one layer, and remove it."""
    tag = f"rules:{uuid.uuid4().hex}"
    engine.load_image([saved(layer, {"Cmd": ["/bin/sh"]}, tag)])
    engine.remove_image(tag)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_layer_is_loaded(engine: Engine, name: str) -> None:
    """The engine unpacks each layer that the checker lets pass."""
    load(engine, SOUND[name] + END)


@pytest.mark.parametrize("name", MISFITS)
def test_a_layer_that_the_engine_refuses_is_refused_before(engine: Engine, name: str) -> None:
    """Each rule that exists for the engine's sake is the engine's own.

    Newer engines make what a link to nothing leads to; a server may move to an older one.
    """
    makes = name.endswith("behind a link to nothing") and engine.info().api_versions[1] >= (1, 45)
    with contextlib.suppress(EngineError) if makes else pytest.raises(EngineError):
        load(engine, HOSTILE[name][0] + rootfs())
