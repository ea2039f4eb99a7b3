# SPDX-License-Identifier: Apache-2.0
"""Nova's records of migrations, as far as the driver decides by them."""

from dataclasses import dataclass

from nova import exception, objects

from novadocker.virt.nova_types import Instance, Migration, RequestContext

# A migration in one of these has left its server where it was, or was taken back.
_GIVEN_UP = frozenset({"error", "failed", "cancelled", "reverted"})


@dataclass(frozen=True)
class Route:
    """Route of a server in a migration or resize.

    Attributes:
        migration: id of Nova's migration.
        destination: name of the host; unlike an address, no other host has it.
    """

    migration: str
    destination: str


def route_of(context: RequestContext, instance: Instance) -> Route:
    """Return the way of an instance whose migration has been claimed.

    Args:
        context: request of Nova.
        instance: the server in Nova.
    """
    migration = objects.Migration.get_by_id_and_instance(
        context, instance.migration_context.migration_id, instance.uuid
    )
    return Route(str(migration.uuid), str(migration.dest_compute))


def left_host(migration: Migration) -> bool:
    """Return whether a migration led to another host.

    Args:
        migration: Nova's record.
    """
    return bool(migration.source_compute != migration.dest_compute)


def abandoned(context: RequestContext, uuid: str, migration: str, host: str) -> bool:
    """Return whether a container that came by a migration is nobody's.

    A later migration from the host makes its container the only good copy of a server, whatever
    became of the one that brought it.

    Args:
        context: token of an administrator.
        uuid: id of the instance.
        migration: id of the migration that brought the container.
        host: name of this host.
    """
    try:
        record = objects.Migration.get_by_uuid(context, migration)
    except exception.MigrationNotFound:
        return False
    if record.status not in _GIVEN_UP or record.dest_compute != host:
        return False
    later = objects.MigrationList.get_by_filters(
        context, {"instance_uuid": uuid, "source_compute": host}
    )
    return not any(each.id > record.id for each in later)
