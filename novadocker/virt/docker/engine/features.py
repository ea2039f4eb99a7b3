# SPDX-License-Identifier: Apache-2.0
"""Features of an engine, derived in this one place from versions and options.

Asked by the check at the start of a host, by the host's traits, by the fetch of images and by
the connection; none of them reads versions or options for itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from novadocker.virt.docker.engine.values import EngineInfo

OLDEST_API = (1, 41)  # Docker 20.10, Debian 12's: the oldest that we test
NEWEST_API = (1, 51)  # Docker 28.5: the newest whose answers we have read
PODMAN = "Podman Engine"
UNCONFINED = "unconfined"


@dataclass(frozen=True)
class Features:
    """Features of an engine and its host.

    Attributes:
        podman: True behind Podman's imitation of Docker's API.
        api: newest API version, as (major, minor).
        images_by_manifest: True with containerd's image store, whose ids are of manifests.
        maps_users: True with user namespaces.
        filters_calls: True with a seccomp profile for containers that name none.
        apparmor: True with AppArmor.
        cgroup_version: "1" or "2".
        cgroup_driver: "cgroupfs" or "systemd".
        lost_limits: names of limits that the engine drops with no more than a warning.
        runtimes: names of the runtimes for containers.
    """

    podman: bool
    api: tuple[int, int]
    images_by_manifest: bool
    maps_users: bool
    filters_calls: bool
    apparmor: bool
    cgroup_version: str
    cgroup_driver: str
    lost_limits: tuple[str, ...]
    runtimes: frozenset[str]

    @classmethod
    def of(cls, info: EngineInfo) -> "Features":
        """Read the features from an engine's account of itself.

        Args:
            info: answers of the engine, as they are now.
        """
        options = info.security_options
        return cls(
            podman=PODMAN in info.components,
            api=info.api_versions[1],
            images_by_manifest=info.containerd_store,
            maps_users="userns" in options,
            filters_calls="seccomp" in options and info.seccomp_profile != UNCONFINED,
            apparmor="apparmor" in options,
            cgroup_version=info.cgroup_version,
            cgroup_driver=info.cgroup_driver,
            lost_limits=info.lost_limits,
            runtimes=info.runtimes,
        )

    def changes(self, now: "Features") -> Iterator[str]:
        """Name the differences to a later look at the same engine.

        Args:
            now: features at the later look.

        Yields:
            One sentence part a feature, such as "cgroup_driver: cgroupfs, now systemd".
        """
        for each in fields(self):
            before, after = getattr(self, each.name), getattr(now, each.name)
            if before != after:
                yield f"{each.name}: {_words(before)}, now {_words(after)}"


def spoken_version(oldest: tuple[int, int], newest: tuple[int, int]) -> tuple[int, int]:
    """Choose the API version to speak with an engine.

    An engine's newest may be newer than any whose answers we have read: members that we need
    may be gone from it. So it is no newer than ours, unless the engine insists.

    Args:
        oldest: oldest version of the engine.
        newest: newest version of the engine.
    """
    return max(min(newest, NEWEST_API), oldest)


def _words(value: object) -> str:
    if isinstance(value, frozenset):
        value = tuple(sorted(value))
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
