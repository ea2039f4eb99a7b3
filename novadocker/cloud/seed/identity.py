# SPDX-License-Identifier: Apache-2.0
"""Identities of the cloud: projects, users, the catalog, and ``clouds.yaml``."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import REGION, Layout


@dataclass(frozen=True)
class Entry:
    """Service of the catalog.

    Args:
        kind: service type, as clients ask for.
        name: service's name.
        port: where it listens.
        path: beginning of URLs' paths.
    """

    kind: str
    name: str
    port: int
    path: str = ""


def write_clouds(common: Common) -> None:
    """Write the clouds ``admin`` and ``demo`` for OpenStack's clients."""
    path = common.layout.clouds_yaml
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(clouds(common), sort_keys=False))


def clouds(common: Common) -> dict[str, Any]:
    """Return the content of ``clouds.yaml``."""
    passwords = {"admin": common.credentials.admin, "demo": common.credentials.demo}
    return {
        "clouds": {
            name: {
                "region_name": REGION,
                "identity_api_version": 3,
                "auth": {
                    "auth_url": common.layout.identity_url,
                    "username": name,
                    "password": password,
                    "project_name": name,
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                },
            }
            for name, password in passwords.items()
        }
    }


def connect(layout: Layout, cloud: str) -> Any:
    """Return a connection to a cloud of ``clouds.yaml``, to be closed after use."""
    files = [str(layout.clouds_yaml)]
    config = OpenStackConfig(config_files=files, load_envvars=False)
    return Connection(config=config.get_one(cloud))


def ensure(common: Common) -> None:
    """Make missing users, projects, roles and endpoints."""
    with connect(common.layout, "admin") as cloud:
        identity = cloud.identity
        ensure_catalog(identity, common.layout, _catalog(common.layout))
        roles = {role.name: role for role in identity.roles()}
        credentials = common.credentials
        for name, password, role_names in (
            ("service", credentials.service, ("admin", "service")),
            ("demo", credentials.demo, ("member",)),
        ):
            project = identity.find_project(name) or identity.create_project(name=name)
            user = identity.find_user(name) or identity.create_user(
                name=name, password=password, default_project_id=project.id
            )
            for role in role_names:
                made = roles.get(role) or identity.create_role(name=role)
                identity.assign_project_role_to_user(project, user, made)


def ensure_catalog(identity: Any, layout: Layout, entries: Iterable[Entry]) -> None:
    """Make missing services and endpoints."""
    services = {service.type: service for service in identity.services()}
    endpoints = {(item.service_id, item.interface) for item in identity.endpoints()}
    for entry in entries:
        service = services.get(entry.kind) or identity.create_service(
            type=entry.kind, name=entry.name
        )
        for interface in ("public", "internal", "admin"):
            if (service.id, interface) not in endpoints:
                identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    region_id=REGION,
                    url=layout.url(entry.port, entry.path),
                )


def _catalog(layout: Layout) -> tuple[Entry, ...]:
    return (
        Entry("compute", "nova", layout.ports.nova, "/v2.1"),
        Entry("image", "glance", layout.ports.glance),
        Entry("network", "neutron", layout.ports.neutron),
        Entry("placement", "placement", layout.ports.placement),
    )
