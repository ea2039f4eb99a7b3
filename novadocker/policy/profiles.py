# SPDX-License-Identifier: Apache-2.0
"""Profiles: rights of a container before a flavor adds and an image reduces.

There is no field for privileged mode, a namespace of the host's, a device or a path of the
host's, so no profile can have them, whoever writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import capabilities
from novadocker.policy.sysctls import ALWAYS


@dataclass(frozen=True)
class Profile:
    """Named set of rights.

    Attributes:
        name: name in the extra spec ``docker:profile`` and the property ``docker_profile``.
        why: the kind of server that the profile is for.
        capabilities: capabilities of root's processes.
        no_new_privileges: True takes the effect from setuid programs.
        read_only: True makes the root file system read-only.
        root: True accepts an image that runs as root.
        tmpfs: mount points of memory file systems.
        seccomp: name of one of the operator's seccomp profiles; "" is the engine's default.
        sysctls: kernel parameters beside those of every container.
        init: True delegates the container's control group to its root, as systemd needs.
        reaper: True puts an init of ours before the image's command; no right, so that any
            image may ask for one or do without.
    """

    name: str
    why: str
    capabilities: frozenset[str] = frozenset()
    no_new_privileges: bool = True
    read_only: bool = False
    root: bool = True
    tmpfs: tuple[str, ...] = ()
    seccomp: str = ""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    init: bool = False
    reaper: bool = False

    def within(self, other: "Profile") -> bool:
        """Tell whether another profile gives at least the same rights.

        Args:
            other: rights of a flavor.

        Returns:
            True lets an image choose this profile under that flavor.
        """
        return (
            self.capabilities <= other.capabilities
            and self.no_new_privileges >= other.no_new_privileges
            and self.read_only >= other.read_only
            and self.root <= other.root
            and self.init <= other.init
            and (not other.seccomp or self.seccomp == other.seccomp)
            and self.sysctls.items() <= {**ALWAYS, **other.sysctls}.items()
        )


RESTRICTED = Profile(
    "restricted",
    "a process that needs no right at all: no capability, nothing to write but memory, not root",
    read_only=True,
    root=False,
    tmpfs=("/run", "/tmp", "/var/tmp"),  # noqa: S108 - the container's own # nosec B108
)
BASELINE = Profile(
    "baseline",
    "an ordinary server process, inside a user namespace of its own",
    capabilities=frozenset(capabilities.ORDINARY),
)
SYSTEM = Profile(
    "system",
    "an init system with several services and users, of which some become root by sudo",
    capabilities=frozenset((*capabilities.ORDINARY, "SETFCAP")),
    no_new_privileges=False,
    tmpfs=("/run", "/run/lock", "/tmp"),  # noqa: S108 - the container's own # nosec B108
    init=True,
)
BUILT_IN: Mapping[str, Profile] = {
    profile.name: profile for profile in (RESTRICTED, BASELINE, SYSTEM)
}
