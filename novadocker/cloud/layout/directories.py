# SPDX-License-Identifier: Apache-2.0
"""Directories of a cloud, closed to the machine's other users."""

from collections.abc import Iterator
from pathlib import Path

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import OVS

_PRIVATE, _TRAVERSABLE = 0o700, 0o711
# Below the data, one for each service: images, tables, keys.
_SERVICES = (
    "glance",
    "heat",
    "keystone",
    "mariadb",
    "neutron",
    "nova",
    "opensdn",
    "ovn",
    "placement",
    "rabbitmq",
)


def make(layout: Layout) -> None:
    """Make the directories and set rights; may be repeated."""
    for path, mode in _rights(layout):
        path.mkdir(parents=True, exist_ok=True)
        # Also of one that an earlier version made with other rights.
        path.chmod(mode)


def _rights(layout: Layout) -> Iterator[tuple[Path, int]]:
    # The containers' root is an ordinary user of the machine, on its way to files of its own.
    yield from ((path, _TRAVERSABLE) for path in (layout.state, layout.data, layout.run))
    yield from ((path, _PRIVATE) for path in (layout.state / "conf", layout.log, layout.tmp))
    yield from ((layout.data / name, _PRIVATE) for name in _SERVICES)
    # With Neutron's own agents dnsmasq reads its files below as nobody.
    metadata = _TRAVERSABLE if layout.settings.network == OVS else _PRIVATE
    for host in layout.hosts:
        yield from ((path, _TRAVERSABLE) for path in (host.data, host.run, host.nova_state))
        if host.real:
            yield host.metadata_state, metadata
