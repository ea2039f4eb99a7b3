# SPDX-License-Identifier: Apache-2.0
"""What an operator lets flavors of a host grant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import capabilities, sysctls
from novadocker.policy.profiles import BUILT_IN, Profile


@dataclass(frozen=True)
class Bounds:
    """What an operator lets flavors of a host grant.

    Attributes:
        capabilities: that ``docker:cap_add`` may name.
        sysctls: that ``docker:sysctl.*`` may name; "*" stands for one word.
        profiles: by their names.
        default_profile: of flavors that name none.
        seccomp: profiles, JSON, by the names that ``docker:seccomp`` may say.
        apparmor: profiles that ``docker:apparmor`` may name.
        runtimes: that ``docker:runtime`` may name.
    """

    capabilities: frozenset[str] = frozenset(capabilities.ALLOWED)
    sysctls: tuple[str, ...] = sysctls.NAMESPACED
    profiles: Mapping[str, Profile] = field(default_factory=lambda: dict(BUILT_IN))
    default_profile: str = "baseline"
    seccomp: Mapping[str, str] = field(default_factory=dict)
    apparmor: frozenset[str] = frozenset()
    runtimes: frozenset[str] = frozenset()


DEFAULT = Bounds()
