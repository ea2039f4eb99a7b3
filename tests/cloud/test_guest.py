# SPDX-License-Identifier: Apache-2.0
"""A launched cloud as other users of its machine see it."""

import subprocess
from pathlib import Path

from novadocker.cloud.machine import lock, service_policy
from tests.support.cloud_site import Site, Tenant

_NOBODY = 65534
# Nothing in them is anybody's secret.
_PUBLIC = ("novadocker-cloud.json", "clients/")


def test_nobody_reads_what_the_cloud_keeps(site: Site, tenant: Tenant, web: str) -> None:
    """Images, tables, logs and servers' files are unreadable for the machine's other users."""
    tenant.boot(web)
    state = site.layout.state
    for root in (state, *_known(state)):
        seen = _readable(root)
        assert [path for path in seen if not _is_public(path, state)] == []


def test_the_machine_keeps_no_policy_and_no_lock_of_everybody(site: Site) -> None:
    """After ``up`` services of packages may start again, and locks are root's alone."""
    policy = service_policy.PATH
    assert not (policy.exists() and "novadocker-cloud" in policy.read_text())
    assert lock.DIRECTORY.stat().st_mode & 0o077 == 0
    assert site.layout.settings.port_base


def _known(state: Path) -> tuple[Path, ...]:
    # Who knows a name needs no right to list it.
    data = state / "data"
    host = data / "docker1"
    return (
        *(state / name for name in ("log", "conf", "tmp", "run")),
        *(data / name for name in ("glance", "mariadb", "rabbitmq", "ovn", "keystone")),
        *(host / name for name in ("engine/docker", "metadata", "nova/instances")),
    )


def _readable(root: Path) -> list[str]:
    done = subprocess.run(
        ["find", str(root), "-type", "f", "-readable"],
        # It also tells, by its exit code, of directories that it cannot look into.
        check=False,
        capture_output=True,
        text=True,
        user=_NOBODY,
        group=_NOBODY,
        extra_groups=[],
    )
    return done.stdout.splitlines()


def _is_public(path: str, state: Path) -> bool:
    return str(Path(path).relative_to(state)).startswith(_PUBLIC)
