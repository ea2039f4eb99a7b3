# SPDX-License-Identifier: Apache-2.0
"""Profiles: what a container may do before a flavor adds to it and an image takes from it.

There is no field for privileged mode, a namespace of the host's, a device or a path of the
host's, so no profile can have them, whoever writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import capabilities


@dataclass(frozen=True)
class Profile:
    """What a container may do.

    Attributes:
        name: by which flavors and images ask for it.
        why: for whom it is.
        capabilities: that its processes have as root.
        no_new_privileges: whether setuid programs gain nothing.
        read_only: whether the root file system cannot be written.
        root: whether the image may run as root.
        tmpfs: directories that are memory.
        seccomp: name of one of the operator's seccomp profiles; "" is the engine's default.
        sysctls: kernel parameters beside those that every container has.
        init: whether its root may make control groups below its own, as systemd does.
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

    def within(self, other: "Profile") -> bool:
        """Tell whether it gives nothing that another does not give.

        Args:
            other: the profile that it is held against.

        Returns:
            Whether an image may choose it where a flavor gives the other.
        """
        return (
            self.capabilities <= other.capabilities
            and self.no_new_privileges >= other.no_new_privileges
            and self.read_only >= other.read_only
            and self.root <= other.root
            and self.init <= other.init
            and (not other.seccomp or self.seccomp == other.seccomp)
            and self.sysctls.items() <= other.sysctls.items()
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
