# SPDX-License-Identifier: Apache-2.0
"""Nova's objects into our values, and our errors into Nova's: the words of ``driver``."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import nova.conf
from nova import context as nova_context
from nova import crypto, exception, objects
from nova.api.metadata.password import convert_password
from nova.compute import power_state, task_states, vm_states
from nova.console import serial
from nova.virt import configdrive, driver, event
from oslo_config import cfg
from oslo_serialization import base64

from novadocker.virt.docker import errors, metadata, policy
from novadocker.virt.docker.accounts import Login
from novadocker.virt.docker.config_drive import Tree
from novadocker.virt.docker.console import Place
from novadocker.virt.docker.engine import Connection, State
from novadocker.virt.docker.entries import personality
from novadocker.virt.docker.inputs import Inputs
from novadocker.virt.docker.recovery import Expected
from novadocker.virt.docker.server import Server
from novadocker.virt.docker.snapshot import Stages
from novadocker.virt.docker.user_data import PROPERTY, asked_for

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

_UNBUILT = (
    task_states.SCHEDULING,
    task_states.BLOCK_DEVICE_MAPPING,
    task_states.NETWORKING,
    task_states.SPAWNING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)


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
        disk_timeout=section.snapshot_timeout,
    )


def console_place() -> Place:
    """Say where nova.conf wants serial consoles to be.

    Returns:
        The place.
    """
    return Place(
        address=CONF.serial_console.proxyclient_address,
        acquire=serial.acquire_port,
        release=serial.release_port,
        clients=tuple(CONF.docker.console_clients),
        idle=CONF.consoleauth.token_ttl,
    )


def server(instance: Any, image_meta: Any = None, flavor: Any = None) -> Server:
    """Take from an instance what makes its container.

    Args:
        instance: Nova's.
        image_meta: Nova's account of the image; else the instance's own.
        flavor: that it gets; else its own.

    Returns:
        The server.
    """
    image_meta = image_meta or instance.image_meta
    flavor = flavor or instance.flavor
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
        rescue=instance.vm_state == vm_states.RESCUED,
    )


def stand_in(instance: Any, image_meta: Any) -> Server:
    """Take from an instance what makes the container that rescues it.

    Args:
        instance: Nova's.
        image_meta: Nova's account of the rescue image.

    Returns:
        The stand-in.
    """
    return replace(server(instance, image_meta), image=image_meta.id, rescue=True)


def wishes(
    instance: Any,
    block_device_info: Any,
    *,
    image_meta: Any = None,
    flavor: Any = None,
    accel_info: Any = None,
) -> policy.Wishes:
    """Gather what a server is asked to have that a container may be refused.

    Args:
        instance: Nova's.
        block_device_info: as Nova gives it to ``spawn``.
        image_meta: Nova's account of the image that it gets; else the instance's own.
        flavor: that it gets; else its own.
        accel_info: accelerators that Nova bound for it.

    Returns:
        The wishes.
    """
    properties = (image_meta or instance.image_meta).properties
    flavor = flavor or instance.flavor
    kernel = {name: instance.get(name, "") for name in ("kernel_id", "ramdisk_id")}
    asked = {
        **{name: str(properties.get(name)) for name in properties.fields if name in properties},
        **(flavor.get("extra_specs", {}) or {}),
        **{name: value for name, value in kernel.items() if value},
    }
    requests = instance.get("pci_requests", None)
    ephemerals = driver.block_device_info_get_ephemerals(block_device_info)
    return policy.Wishes(
        settings=asked,
        devices=len(requests.requests if requests else ()) + len(accel_info or ()),
        volumes=len(driver.block_device_info_get_mapping(block_device_info)),
        ephemerals=len(ephemerals) or int(bool(flavor.get("ephemeral_gb", 0))),
    )


def inputs(
    context: Any,
    instance: Any,
    image_meta: Any,
    injected_files: Sequence[tuple[str, bytes]] | None,
    admin_password: str | None,
) -> Inputs:
    """Gather what a tenant handed to a server that is built.

    Args:
        context: of the request.
        instance: Nova's.
        image_meta: Nova's account of the image that it gets.
        injected_files: pairs of path and content.
        admin_password: in clear.

    Returns:
        The inputs.

    Raises:
        PolicyRefused: some of it cannot be put into any container.
    """
    files = tuple(injected_files or ())

    def drive(network_info: Any) -> Tree:
        if len(network_info):  # waits: Nova knows tags of ports that are there
            metadata.describe_devices(context, instance)
        return metadata.config_drive(instance, network_info, files, admin_password)

    wanted = CONF.docker.inject_password and admin_password
    return Inputs(
        files=personality(files),
        login=login(image_meta, admin_password) if wanted and admin_password else None,
        user_data=asked_for(
            instance.uuid,
            base64.decode_as_bytes(instance.user_data) if instance.user_data else None,
            instance.system_metadata.get(f"image_{PROPERTY}"),
        ),
        config_drive=drive if configdrive.required_by(instance) else None,
    )


def login(image_meta: Any, password: str) -> Login:
    """Say whose password an instance's password is.

    Args:
        image_meta: Nova's account of its image.
        password: in clear.

    Returns:
        The login.

    Raises:
        PolicyRefused: there cannot be such a user, or such a password.
    """
    return Login.of(image_meta.properties.get("os_admin_user") or "root", password)


def keep_password(instance: Any, password: str) -> None:
    """Keep a password where its owner can ask for it, as Nova's own drivers do.

    Args:
        instance: Nova's; changed and saved where it has a key that can hide the password.
        password: in clear.
    """
    key = instance.key_data
    if key and key.startswith("ssh-rsa"):
        hidden = base64.encode_as_text(crypto.ssh_encrypt_text(key, password))
        instance.system_metadata.update(convert_password(None, hidden))
        instance.save()


def destination(context: Any, instance: Any) -> str:
    """Say which host Nova moves an instance to, or resizes it on.

    Args:
        context: of the request.
        instance: Nova's, whose migration has been claimed.

    Returns:
        The host's name; unlike its address, no other host has it.
    """
    migration = objects.Migration.get_by_id_and_instance(
        context, instance.migration_context.migration_id, instance.uuid
    )
    return str(migration.dest_compute)


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
    return _is_settled(_known(uuid))


def settled_here(uuid: str) -> bool:
    """Say whether Nova has no task for an instance of this host.

    Args:
        uuid: its id.

    Returns:
        Whether it has none.

    Raises:
        LookupError: Nova knows no such instance, or another host has it.
    """
    instance = _known(uuid)
    if instance.host not in (None, CONF.host):
        raise LookupError(uuid)
    return _is_settled(instance)


def expected_at_start(instance: Any) -> Expected:
    """Say what an instance's record tells of its container when nova-compute starts.

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


def plugging_failed(event_name: str, _instance: Any) -> NoReturn:
    """Refuse to wait on: Neutron says that it could not plug a port.

    Args:
        event_name: Nova's name of the event, with the port's id.

    Raises:
        WiringError: always.
    """
    port = event_name.removeprefix("network-vif-plugged-")
    raise errors.WiringError(port=port, reason="Neutron failed to plug it")


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


def described(context: Any, image_api: Any, image: str) -> Any:
    """Ask Glance for an image that no server was asked for.

    Args:
        context: the request's, for Glance.
        image_api: Nova's ``nova.image.glance.API``.
        image: its id.

    Returns:
        Nova's ``ImageMeta``.

    Raises:
        nova.exception.ImageNotFound: there is none.
    """
    return objects.ImageMeta.from_image_ref(context, image_api, image)


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
    except errors.CrashDumpRefused as error:
        raise exception.TriggerCrashDumpNotSupported(str(error)) from error
    except errors.ConsoleUnavailable as error:
        raise exception.InstanceNotReady(str(error), instance_id=instance.uuid) from error
    except errors.EngineUnavailable as error:
        raise exception.HypervisorUnavailable(message=str(error)) from error
    except errors.DockerDriverError as error:
        raise exception.NovaException(str(error)) from error


@contextlib.contextmanager
def as_password_errors(instance: Any) -> Iterator[None]:
    """Raise our errors as those that tell a tenant why a password was not set.

    Args:
        instance: whose password is set.

    Yields:
        Nothing.

    Raises:
        nova.exception.SetAdminPasswdNotSupported: the image cannot, or the password is none.
        nova.exception.NovaException: for each other of ours.
    """
    try:
        with as_nova_errors(instance):
            yield
    except exception.NovaException as error:
        if isinstance(error.__cause__, (errors.PasswordNotSet, errors.PolicyRefused)):
            raise exception.SetAdminPasswdNotSupported(str(error.__cause__)) from error
        raise


@contextlib.contextmanager
def as_snapshot_errors(instance: Any) -> Iterator[None]:
    """Raise our errors as those that make Nova give up a snapshot and free the server.

    Nova takes the absence of an instance for its deletion, and leaves it to that to end the
    task; a server whose container is lost would never be without one again.

    Args:
        instance: what an image is made of.

    Yields:
        Nothing.

    Raises:
        nova.exception.NovaException: for each of ours.
        nova.exception.InstanceNotRunning: it has no container.
    """
    try:
        with as_nova_errors(instance):
            yield
    except exception.InstanceNotFound as error:
        if isinstance(error.__cause__, errors.ContainerNotFound):
            raise exception.InstanceNotRunning(str(error.__cause__)) from error
        raise


@contextlib.contextmanager
def as_refused_resize() -> Iterator[None]:
    """Raise our errors as those after which a server stays what it was.

    Yields:
        Nothing.

    Raises:
        nova.exception.InstanceFaultRollback: for each of ours.
    """
    try:
        yield
    except errors.DockerDriverError as error:
        raise exception.InstanceFaultRollback(exception.ResizeError(reason=str(error))) from error


@contextlib.contextmanager
def as_refused_rebuild(instance: Any) -> Iterator[None]:
    """Raise our refusals as those after which a server stays what it was.

    Args:
        instance: whose rebuild has not begun.

    Yields:
        Nothing.

    Raises:
        nova.exception.InstanceFaultRollback: for each of ours.
    """
    try:
        yield
    except errors.PolicyRefused as error:
        refusal = exception.BuildAbortException(instance_uuid=instance.uuid, reason=str(error))
        raise exception.InstanceFaultRollback(refusal) from error


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


def _known(uuid: str) -> Any:
    try:
        return objects.Instance.get_by_uuid(nova_context.get_admin_context(), uuid)
    except exception.InstanceNotFound as error:
        raise LookupError(uuid) from error


def _is_settled(instance: Any) -> bool:
    return instance.task_state is None and instance.vm_state != vm_states.BUILDING
