# SPDX-License-Identifier: Apache-2.0
"""Volumes in the catalog, and the types that tenants choose from."""

from typing import Any

from novadocker.cloud.config import cinder
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.seed.identity import Entry, connect, ensure_catalog

MULTIATTACH = "multiattach"
# Extra specs by the type's name.
TYPES = {
    cinder.FILES: {"volume_backend_name": cinder.FILES},
    cinder.NFS: {"volume_backend_name": cinder.NFS},
    MULTIATTACH: {"volume_backend_name": cinder.FILES, "multiattach": "<is> True"},
}


def ensure(common: Common) -> None:
    """Make entries of the catalog that are missing."""
    with connect(common.layout, "admin") as cloud:
        ensure_catalog(cloud.identity, common.layout, _catalog(common.layout))


def ensure_types(layout: Layout) -> None:
    """Make the types that are missing."""
    with connect(layout, "admin") as cloud:
        known = {each.name for each in cloud.block_storage.types()}
        for name, specs in TYPES.items():
            if name not in known:
                _make_type(cloud.block_storage, name, specs)


def remove(layout: Layout) -> None:
    """Take volumes out of the catalog, where nobody answers any more."""
    kinds = {entry.kind for entry in _catalog(layout)}
    with connect(layout, "admin") as cloud:
        for service in cloud.identity.services():
            if service.type in kinds:
                cloud.identity.delete_service(service)


def _make_type(storage: Any, name: str, specs: dict[str, str]) -> None:
    made = storage.create_type(name=name, is_public=True)
    storage.update_type_extra_specs(made, **specs)


def _catalog(layout: Layout) -> tuple[Entry, ...]:
    port = layout.ports.cinder
    # Nova looks for the old kind of service, clients for either.
    return tuple(Entry(kind, "cinder", port, "/v3") for kind in ("volumev3", "block-storage"))
