# SPDX-License-Identifier: Apache-2.0
"""Suitability of an engine: what is refused at the start of the host, and what is warned of."""

from collections.abc import Collection

from oslo_log import log as logging

from novadocker.errors import EngineUnsuitable
from novadocker.virt.docker.engine import Engine, EngineInfo
from novadocker.virt.docker.host.advisories import concerning
from novadocker.virt.docker.host.changelogs import mended
from novadocker.virt.docker.host.disk import limits_disk

LOG = logging.getLogger(__name__)

OLDEST_API = (1, 41)  # Docker 20.10, Debian 12's: the oldest that we test


UNCONFINED = "unconfined"


def check(engine: Engine, *, require_userns: bool) -> EngineInfo:
    """Refuse an unsuitable engine, and warn of what an operator should know.

    Args:
        engine: the host's engine.
        require_userns: True refuses an engine without user namespaces.

    Returns:
        Facts that the engine reports.

    Raises:
        EngineUnavailable: it cannot be reached.
        EngineUnsuitable: it is too old, or runs containers without user namespaces or without
            seccomp.
    """
    info = engine.info()
    url = engine.connection.url
    oldest = ".".join(map(str, OLDEST_API))
    if info.api_versions[1] < OLDEST_API:
        newest = ".".join(map(str, info.api_versions[1]))
        raise EngineUnsuitable(
            url=url, reason=f"it speaks API {newest} and {oldest} is needed; upgrade it"
        )
    if "userns" not in info.security_options and require_userns:
        raise EngineUnsuitable(
            url=url,
            reason="it runs containers without user namespaces, so root in a container is "
            "root on the host; start it with --userns-remap=default, or set "
            "[docker] require_userns = false if you accept that",
        )
    if "seccomp" not in info.security_options or info.seccomp_profile == UNCONFINED:
        raise EngineUnsuitable(
            url=url,
            reason="its containers may make any system call; give it a kernel with seccomp, "
            "and start it without --seccomp-profile=unconfined",
        )
    for warning in warnings(info, mended(info.components)):
        LOG.warning("%s", warning)
    return info


def warnings(info: EngineInfo, mended_here: Collection[str] = ()) -> list[str]:
    """Say what an operator should know of an engine that we accept.

    Args:
        info: what it says of itself.
        mended_here: numbers of vulnerabilities that its distribution has mended.

    Returns:
        Sentences.
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
    if "userns" not in info.security_options:
        said.append("Root in a container is root on the host: start it with --userns-remap")
    return said
