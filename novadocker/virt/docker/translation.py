# SPDX-License-Identifier: Apache-2.0
"""Nova's objects into our values, and our errors into Nova's: the words of ``driver``."""

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.compute import power_state, vm_states
from nova.virt import driver, event
from oslo_config import cfg

from novadocker.virt.docker import errors, policy
from novadocker.virt.docker.engine import Connection, State
from novadocker.virt.docker.server import Server

CONF = nova.conf.CONF

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


def connection(section: cfg.ConfigOpts.GroupAttr) -> Connection:
    """Say how nova.conf wants the engine to be reached.

    Args:
        section: ``CONF.docker``.

    Returns:
        The connection.
    """
    return Connection(
        url=section.host_url,
        timeout=section.timeout,
        ca_file=section.ca_file,
        cert_file=section.cert_file,
        key_file=section.key_file,
        insecure=section.api_insecure,
    )


def server(instance: Any, image_meta: Any = None) -> Server:
    """Take from an instance what makes its container.

    Args:
        instance: Nova's.
        image_meta: Nova's account of the image; else the instance's own.

    Returns:
        The server.
    """
    image_meta = image_meta or instance.image_meta
    flavor = instance.flavor
    return Server(
        uuid=instance.uuid,
        project=instance.project_id,
        host=instance.host,
        hostname=instance.hostname,
        flavor=policy.Flavor(
            vcpus=flavor.vcpus,
            memory_mib=flavor.memory_mb,
            root_gib=flavor.root_gb,
            swap_mib=flavor.swap,
            extra_specs=dict(flavor.get("extra_specs", {}) or {}),
        ),
        metadata=dict(instance.metadata),
        image=instance.image_ref,
        command_line=image_meta.properties.get("os_command_line"),
        public_key=instance.key_data,
    )


def wishes(instance: Any, injected_files: Any, block_device_info: Any) -> policy.Wishes:
    """Gather what a server is asked to have that a container may be refused.

    Args:
        instance: Nova's.
        injected_files: pairs of path and content.
        block_device_info: as Nova gives it to ``spawn``.

    Returns:
        The wishes.
    """
    return policy.Wishes(
        volumes=len(driver.block_device_info_get_mapping(block_device_info)),
        ephemerals=len(driver.block_device_info_get_ephemerals(block_device_info)),
        files=len(injected_files or ()),
        config_drive=bool(instance.config_drive),
    )


def shutdown_timeout(instance: Any) -> int:
    """Say how long an instance may take to end by itself.

    Args:
        instance: Nova's.

    Returns:
        Seconds: its image's ``os_shutdown_timeout``, else nova.conf's.
    """
    return int(instance.system_metadata.get("image_os_shutdown_timeout", CONF.shutdown_timeout))


def settled(uuid: str) -> bool:
    """Say whether Nova has no task for an instance.

    Args:
        uuid: its id.

    Returns:
        Whether it has none.

    Raises:
        LookupError: Nova knows no such instance.
    """
    try:
        instance = objects.Instance.get_by_uuid(nova_context.get_admin_context(), uuid)
    except exception.InstanceNotFound as error:
        raise LookupError(uuid) from error
    return instance.task_state is None and instance.vm_state != vm_states.BUILDING


def plugging_failed(event_name: str, _instance: Any) -> NoReturn:
    """Refuse to wait on: Neutron says that it could not plug a port.

    Args:
        event_name: Nova's name of the event, with the port's id.

    Raises:
        WiringError: always.
    """
    port = event_name.removeprefix("network-vif-plugged-")
    raise errors.WiringError(port=port, reason="Neutron failed to plug it")


@contextlib.contextmanager
def as_nova_errors(instance: Any) -> Iterator[None]:
    """Raise our errors as Nova's.

    Args:
        instance: what is worked on.

    Yields:
        Nothing.

    Raises:
        nova.exception.NovaException: or one of its kinds, for each of ours.
    """
    try:
        yield
    except errors.ContainerNotFound as error:
        raise exception.InstanceNotFound(instance_id=instance.uuid) from error
    except errors.EngineUnavailable as error:
        raise exception.HypervisorUnavailable(message=str(error)) from error
    except errors.DockerDriverError as error:
        raise exception.NovaException(str(error)) from error


@contextlib.contextmanager
def as_build_errors(instance: Any) -> Iterator[None]:
    """Raise our errors as those that Nova expects of a build.

    Args:
        instance: what is built.

    Yields:
        Nothing.

    Raises:
        nova.exception.BuildAbortException: the request is at fault.
        nova.exception.NovaException: this host is; Nova may try another.
    """
    try:
        yield
    except errors.ImageFetchFailed as error:
        raise exception.NovaException(str(error)) from error
    except (
        errors.ImageError,
        errors.PolicyRefused,
        errors.VifRefused,
        errors.PlugTimeout,
    ) as error:
        raise exception.BuildAbortException(
            instance_uuid=instance.uuid, reason=str(error)
        ) from error
    except errors.DockerDriverError as error:
        raise exception.NovaException(str(error)) from error
