# SPDX-License-Identifier: Apache-2.0
"""The Docker Engine's API: the only package with knowledge of the SDK and of answers' shapes."""

from novadocker.virt.docker.engine.calls.terminals import Program, Stream
from novadocker.virt.docker.engine.client import Engine
from novadocker.virt.docker.engine.connection import Connection
from novadocker.virt.docker.engine.health import Health, HealthStatus, Probe
from novadocker.virt.docker.engine.posture import Posture
from novadocker.virt.docker.engine.spec import ContainerSpec, Shared
from novadocker.virt.docker.engine.usage import Usage
from novadocker.virt.docker.engine.values import (
    Container,
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
    "Health",
    "HealthStatus",
    "Image",
    "Posture",
    "Probe",
    "Program",
    "Shared",
    "State",
    "Stream",
    "Usage",
]
