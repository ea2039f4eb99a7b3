# SPDX-License-Identifier: Apache-2.0
"""What a container may use and do: a pure function of flavor, image, operator and host."""

from novadocker.policy.bounds import Bounds
from novadocker.policy.decision import settings_for
from novadocker.policy.flavor import Abilities, Flavor
from novadocker.policy.not_for_containers import OF_MACHINES, Wishes, refuse
from novadocker.policy.profiles import (
    BASELINE,
    RESTRICTED,
    SYSTEM,
    Profile,
)
from novadocker.policy.settings import (
    GIB,
    MIB,
    Limits,
    Line,
    Rights,
    Settings,
    Ulimit,
)

CAPABILITIES = tuple(sorted(BASELINE.capabilities))

__all__ = [
    "BASELINE",
    "CAPABILITIES",
    "GIB",
    "MIB",
    "OF_MACHINES",
    "RESTRICTED",
    "SYSTEM",
    "Abilities",
    "Bounds",
    "Flavor",
    "Limits",
    "Line",
    "Profile",
    "Rights",
    "Settings",
    "Ulimit",
    "Wishes",
    "refuse",
    "settings_for",
]
