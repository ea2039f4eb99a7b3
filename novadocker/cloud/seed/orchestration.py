# SPDX-License-Identifier: Apache-2.0
"""Orchestration in Keystone: domain, roles, entries in the catalog."""

from typing import Any

from novadocker.cloud.config import heat
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.seed.identity import Entry, connect, ensure_catalog


def ensure(common: Common) -> None:
    """Make the missing domain, roles and entries; stacks make users in a domain apart."""
    with connect(common.layout, "admin") as cloud:
        identity = cloud.identity
        ensure_catalog(identity, common.layout, _catalog(common.layout))
        if not identity.find_role(heat.STACK_USER):
            identity.create_role(name=heat.STACK_USER)
        _ensure_domain(identity, common.credentials.stacks)


def remove(layout: Layout) -> None:
    """Take orchestration out of the catalog, where nobody answers any more."""
    kinds = {entry.kind for entry in _catalog(layout)}
    with connect(layout, "admin") as cloud:
        for service in cloud.identity.services():
            if service.type in kinds:
                cloud.identity.delete_service(service)


def _ensure_domain(identity: Any, password: str) -> None:
    domain = identity.find_domain(heat.DOMAIN) or identity.create_domain(
        name=heat.DOMAIN, description="Users and projects that stacks make"
    )
    user = identity.find_user(heat.DOMAIN_ADMIN, domain_id=domain.id) or identity.create_user(
        name=heat.DOMAIN_ADMIN, password=password, domain_id=domain.id
    )
    identity.assign_domain_role_to_user(domain, user, identity.find_role("admin"))


def _catalog(layout: Layout) -> tuple[Entry, ...]:
    return (
        Entry("orchestration", "heat", layout.ports.heat, "/v1/%(tenant_id)s"),
        Entry("cloudformation", "heat-cfn", layout.ports.heat_cfn, "/v1"),
    )
