# SPDX-License-Identifier: Apache-2.0
"""Where an instance stands: in Nova's words, and in ours."""

from collections.abc import Callable
from typing import Any

import nova.conf
from nova import context as nova_context
from nova import crypto, exception, objects
from nova.api.metadata.password import convert_password
from nova.compute import power_state, task_states, vm_states
from nova.compute import utils as compute_utils
from nova.virt import event
from oslo_log import log as logging
from oslo_serialization import base64

from novadocker.virt.docker.actions.recovery.repairs import Expected
from novadocker.virt.docker.actions.snapshot import Stages
from novadocker.virt.docker.engine import State
from novadocker.virt.nova_types import Instance

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


POWER_STATES = {
    State.CREATED: power_state.SHUTDOWN,
    State.RUNNING: power_state.RUNNING,
    State.PAUSED: power_state.PAUSED,
    State.RESTARTING: power_state.RUNNING,
    State.REMOVING: power_state.SHUTDOWN,
    State.EXITED: power_state.SHUTDOWN,
    State.DEAD: power_state.SHUTDOWN,
}

TRANSITIONS = {
    power_state.RUNNING: event.EVENT_LIFECYCLE_STARTED,
    power_state.PAUSED: event.EVENT_LIFECYCLE_PAUSED,
    power_state.SHUTDOWN: event.EVENT_LIFECYCLE_STOPPED,
}

_FORMAT, CONTAINER_FORMAT = "image_container_format", "docker"
_WITH_CONTAINER = (
    vm_states.ACTIVE,
    vm_states.PAUSED,
    vm_states.RESCUED,
    vm_states.RESIZED,
    vm_states.STOPPED,
)

_UNBUILT = (
    task_states.SCHEDULING,
    task_states.BLOCK_DEVICE_MAPPING,
    task_states.NETWORKING,
    task_states.SPAWNING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)


def settled(uuid: str) -> bool:
    """Say whether Nova has no task for an instance.

    Args:
        uuid: id of the instance.

    Returns:
        Whether it has none.

    Raises:
        LookupError: Nova knows no such instance.
    """
    return _is_settled(_known(uuid))


def settled_here(uuid: str) -> bool:
    """Say whether Nova has no task for an instance of this host.

    Args:
        uuid: id of the instance.

    Returns:
        Whether it has none.

    Raises:
        LookupError: Nova knows no such instance, or another host has it.
    """
    instance = _known(uuid)
    if instance.host not in (None, CONF.host):
        raise LookupError(uuid)
    return _is_settled(instance)


def report_lost(uuid: str, host: str) -> None:
    """Record the loss of a server's container by the server's id; see ``record_lost``.

    Args:
        uuid: id of the instance.
        host: this compute host.

    Raises:
        LookupError: Nova knows no such instance.
    """
    record_lost(_known(uuid), host)


def record_lost(instance: Instance, host: str) -> None:
    """Record the loss of a server's container: Nova shows ERROR and the reason as a fault.

    Nova itself ignores a server without a power state, and would show ACTIVE for ever.

    Args:
        instance: Nova's record, changed and saved; one with a task, whose own failure will tell,
            and one that should have no container are left alone.
        host: this compute host; a server of another one is left alone.
    """
    should_have = instance.vm_state in _WITH_CONTAINER and instance.task_state is None
    if instance.host != host or not should_have or _is_machine(instance):
        return
    LOG.warning("The container of server %s was removed behind Nova's back", instance.uuid)
    was, instance.vm_state = instance.vm_state, vm_states.ERROR
    # Set here, since Nova's own audit ignores a server without a power state.
    instance.power_state = power_state.NOSTATE
    # A task that Nova began meanwhile makes this fail, and knows what it does.
    instance.save(expected_vm_state=[was], expected_task_state=[None])
    fault = exception.NovaException(
        "The server's container was removed from its host, and its files with it; rebuild the "
        "server, or delete it"
    )
    compute_utils.add_instance_fault_from_exc(nova_context.get_admin_context(), instance, fault)


def _is_machine(instance: Instance) -> bool:
    # Left by a conversion of a hybrid host: its machine runs on, and nothing of it is lost.
    return bool(instance.system_metadata.get(_FORMAT, CONTAINER_FORMAT) != CONTAINER_FORMAT)


def expected_at_start(instance: Instance) -> Expected:
    """Return the container's expected state by an instance's record, at nova-compute's start.

    Follows ``ComputeManager._init_instance``. While it is "rebuilding", the container is still
    the old one.

    Args:
        instance: Nova's.

    Returns:
        What is expected.
    """
    if instance.vm_state == vm_states.ACTIVE and instance.task_state not in _UNBUILT:
        return Expected.AWAKE
    if instance.vm_state == vm_states.BUILDING or (
        instance.vm_state != vm_states.ERROR and instance.task_state in _UNBUILT
    ):
        return Expected.UNBUILT
    return Expected.OTHER


def snapshot_stages(update_task_state: Callable[..., None]) -> Stages:
    """Say how Nova is told how far a snapshot is.

    Args:
        update_task_state: as Nova gives it to ``snapshot``.

    Returns:
        The two of its stages, in the order and with the expectations of its own drivers.
    """
    pending, uploading = task_states.IMAGE_PENDING_UPLOAD, task_states.IMAGE_UPLOADING
    return Stages(
        pending=lambda: update_task_state(task_state=pending),
        uploading=lambda: update_task_state(task_state=uploading, expected_state=pending),
    )


def keep_password(instance: Instance, password: str) -> None:
    """Keep a password for its owner in the metadata, like Nova's own drivers.

    Args:
        instance: Nova's; changed and saved where it has a key that can hide the password.
        password: in clear.
    """
    key = instance.key_data
    # Only RSA keys encrypt; the others sign.
    if key and key.startswith("ssh-rsa"):
        hidden = base64.encode_as_text(crypto.ssh_encrypt_text(key, password))
        instance.system_metadata.update(convert_password(None, hidden))
        instance.save()


def _known(uuid: str) -> Any:
    try:
        return objects.Instance.get_by_uuid(nova_context.get_admin_context(), uuid)
    except exception.InstanceNotFound as error:
        raise LookupError(uuid) from error


def _is_settled(instance: Instance) -> bool:
    # "Building" has no task between the scheduler and the build, and is not settled all the same.
    return instance.task_state is None and instance.vm_state != vm_states.BUILDING
