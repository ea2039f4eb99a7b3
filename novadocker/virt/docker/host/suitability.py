# SPDX-License-Identifier: Apache-2.0
"""Suitability of an engine: refusals and warnings at the start of the host."""

from collections.abc import Collection, Iterator

from oslo_log import log as logging

from novadocker.errors import EngineUnsuitable
from novadocker.virt.docker.engine import Engine, EngineInfo
from novadocker.virt.docker.engine.features import OLDEST_API, Features
from novadocker.virt.docker.host.advisories import concerning
from novadocker.virt.docker.host.changelogs import mended
from novadocker.virt.docker.host.disk import limits_disk

LOG = logging.getLogger(__name__)

PODMAN_LACKS = (
    "it is Podman's imitation of Docker's API, which maps no users for all of its containers, "
    "takes no images without the layers that it has, and tells no end of a container (event "
    "'die'); run Docker's own engine"
)
WITHOUT_SECCOMP = (
    "its containers may make any system call; give it a kernel with seccomp, and start it "
    "without --seccomp-profile=unconfined"
)
WITHOUT_USERNS = (
    "it runs containers without user namespaces, so root in a container is root on the host; "
    "start it with --userns-remap=default, or set [docker] require_userns = false if you "
    "accept that"
)


def check(engine: Engine, *, require_userns: bool) -> EngineInfo:
    """Refuse an unsuitable engine, and warn of weaknesses of a suitable one.

    Args:
        engine: the host's engine.
        require_userns: True refuses an engine without user namespaces.

    Returns:
        Facts that the engine reports.

    Raises:
        EngineUnavailable: the engine cannot be reached.
        EngineUnsuitable: the engine is too old, is none of Docker's, drops limits, or runs
            containers without user namespaces or without seccomp.
    """
    info = engine.info()
    if reason := next(unsuitable(Features.of(info), require_userns=require_userns), ""):
        raise EngineUnsuitable(url=engine.connection.url, reason=reason)
    for warning in warnings(info, mended(info.components)):
        LOG.warning("%s", warning)
    return info


def unsuitable(features: Features, *, require_userns: bool) -> Iterator[str]:
    """Name the reasons for which an engine is refused, the gravest first.

    Args:
        features: features of the engine.
        require_userns: True refuses an engine without user namespaces.

    Yields:
        Sentences, each with the remedy.
    """
    # Before its versions: Podman tells Docker's, and means others.
    if features.podman:
        yield PODMAN_LACKS
    if features.api < OLDEST_API:
        newest, oldest = (".".join(map(str, each)) for each in (features.api, OLDEST_API))
        yield f"it speaks API {newest} and {oldest} is needed; upgrade it"
    if not features.maps_users and require_userns:
        yield WITHOUT_USERNS
    if not features.filters_calls:
        yield WITHOUT_SECCOMP
    # It would take every container, and leave the flavor's limits out with a warning.
    if features.lost_limits:
        yield (
            f"its kernel keeps no limits of containers ({', '.join(features.lost_limits)} of "
            "/info false); give the host the cgroup controllers memory, pids and cpu"
        )


def warnings(info: EngineInfo, mended_here: Collection[str] = ()) -> list[str]:
    """Name the weaknesses of an engine that is accepted.

    Args:
        info: facts that the engine reports.
        mended_here: CVE numbers that the distribution has mended.

    Returns:
        Sentences, each with the remedy.
    """
    said = concerning(info.components, mended_here)
    if not limits_disk(info):
        said.append(
            f"The root disk of flavors is not enforced: storage driver {info.storage_driver} on "
            f"{info.backing_filesystem or 'its file system'} has no quotas; put "
            f"{info.root_directory} on XFS mounted with pquota, btrfs or ZFS"
        )
    if not info.live_restore:
        said.append("Containers end when the engine restarts: start it with --live-restore")
    if not Features.of(info).maps_users:
        said.append("Root in a container is root on the host: start it with --userns-remap")
    return said
