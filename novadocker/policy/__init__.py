# SPDX-License-Identifier: Apache-2.0
"""Policy of limits and rights: a pure function of flavor, image, operator and host."""

from novadocker.policy.bounds import Bounds
from novadocker.policy.decision import cpuset, settings_for
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
    Explained,
    Limits,
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
    "Explained",
    "Flavor",
    "Limits",
    "Profile",
    "Rights",
    "Settings",
    "Ulimit",
    "Wishes",
    "cpuset",
    "refuse",
    "settings_for",
]
