# SPDX-License-Identifier: Apache-2.0
"""The Docker Engine's API: the only room that knows the SDK and the shapes of its answers."""

from novadocker.virt.docker.engine.client import Connection, Engine
from novadocker.virt.docker.engine.values import (
    Container,
    ContainerSpec,
    EngineInfo,
    Event,
    Image,
    State,
)

__all__ = [
    "Connection",
    "Container",
    "ContainerSpec",
    "Engine",
    "EngineInfo",
    "Event",
    "Image",
    "State",
]
