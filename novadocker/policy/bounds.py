# SPDX-License-Identifier: Apache-2.0
"""Bounds of an operator for the flavors of one host."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import capabilities, sysctls
from novadocker.policy.profiles import BUILT_IN, Profile


@dataclass(frozen=True)
class Bounds:
    """Operator's limits for the rights that flavors of a host grant.

    Attributes:
        capabilities: names that ``docker:cap_add`` accepts.
        sysctls: names that ``docker:sysctl.*`` accepts; "*" stands for one word.
        profiles: built-in and own profiles by their names.
        default_profile: name of the profile for flavors without one.
        seccomp: JSON of profiles by the names that ``docker:seccomp`` accepts.
        apparmor: names that ``docker:apparmor`` accepts.
        runtimes: names that ``docker:runtime`` accepts.
    """

    capabilities: frozenset[str] = frozenset(capabilities.ALLOWED)
    sysctls: tuple[str, ...] = sysctls.NAMESPACED
    profiles: Mapping[str, Profile] = field(default_factory=lambda: dict(BUILT_IN))
    default_profile: str = "baseline"
    seccomp: Mapping[str, str] = field(default_factory=dict)
    apparmor: frozenset[str] = frozenset()
    runtimes: frozenset[str] = frozenset()


DEFAULT = Bounds()
