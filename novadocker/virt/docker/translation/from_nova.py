# SPDX-License-Identifier: Apache-2.0
"""Values made of Nova's objects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import nova.conf
from nova import objects, utils
from nova.compute import vm_states
from nova.console import serial
from nova.virt import configdrive, driver
from oslo_config import cfg
from oslo_serialization import base64

from novadocker import policy
from novadocker.policy.extra_specs import IMAGE_PREFIX
from novadocker.virt.docker.console import ConsoleSettings
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Connection
from novadocker.virt.docker.injection.config_drive import Tree
from novadocker.virt.docker.injection.files import personality
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.injection.user_data import PROPERTY, asked_for
from novadocker.virt.docker.translation import metadata
from novadocker.virt.docker.translation.processors import dedicated_processors
from novadocker.virt.nova_types import (
    AcceleratorInfo,
    BlockDeviceInfo,
    ImageApi,
    ImageMeta,
    Instance,
    NetworkInfo,
    NovaFlavor,
    RequestContext,
)

CONF = nova.conf.CONF


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


def console_settings() -> ConsoleSettings:
    """Say where nova.conf wants serial consoles to be.

    Returns:
        The place.
    """
    return ConsoleSettings(
        address=CONF.serial_console.proxyclient_address,
        acquire=serial.acquire_port,
        release=serial.release_port,
        clients=tuple(CONF.docker.console_clients),
        idle=CONF.consoleauth.token_ttl,
    )


def server(instance: Instance, image_meta: ImageMeta = None, flavor: NovaFlavor = None) -> Server:
    """Make a server's description from an instance.

    Args:
        instance: Nova's.
        image_meta: Nova's account of the image; else the instance's own.
        flavor: that it gets; else its own.

    Returns:
        The server.
    """
    image_meta = image_meta or instance.image_meta
    dedicated = dedicated_processors(instance, flavor, image_meta)
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
            processors=dedicated,
        ),
        metadata=dict(instance.metadata),
        image=instance.image_ref,
        command_line=image_meta.properties.get("os_command_line"),
        public_key=instance.key_data,
        rescue=instance.vm_state == vm_states.RESCUED,
        image_properties=_of_image(instance.system_metadata),
    )


def _of_image(system_metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Read an image's properties for containers, unknown to Nova's ``ImageMeta``."""
    # From the system metadata: ``ImageMeta`` drops properties that Nova does not define.
    return {
        name.removeprefix(utils.SM_IMAGE_PROP_PREFIX): str(value)
        for name, value in system_metadata.items()
        if name.startswith(f"{utils.SM_IMAGE_PROP_PREFIX}{IMAGE_PREFIX}")
    }


def stand_in(
    context: RequestContext, image_api: ImageApi, instance: Instance, image_meta: ImageMeta
) -> Server:
    """Make the stand-in's description from an instance and a rescue image.

    Args:
        context: request, with its token.
        image_api: Nova's ``nova.image.glance.API``.
        instance: Nova's.
        image_meta: Nova's account of the rescue image.

    Returns:
        The stand-in, with what the rescue image says of its containers.

    Raises:
        nova.exception.ImageNotFound: there is none by now.
    """
    properties = image_api.get(context, image_meta.id).get("properties") or {}
    return replace(
        server(instance, image_meta),
        image=image_meta.id,
        rescue=True,
        image_properties={
            name: str(value) for name, value in properties.items() if name.startswith(IMAGE_PREFIX)
        },
    )


def wishes(
    instance: Instance,
    block_device_info: BlockDeviceInfo,
    *,
    image_meta: ImageMeta = None,
    flavor: NovaFlavor = None,
    accel_info: AcceleratorInfo = None,
) -> policy.Wishes:
    """List requests for devices and the like, which a container may be refused.

    Args:
        instance: Nova's.
        block_device_info: as Nova gives it to ``spawn``.
        image_meta: Nova's account of the image that it gets; else the instance's own.
        flavor: that it gets; else its own.
        accel_info: accelerators that Nova bound for it.

    Returns:
        The wishes.
    """
    image_meta = image_meta or instance.image_meta
    properties = image_meta.properties
    dedicated = dedicated_processors(instance, flavor, image_meta)
    flavor = flavor or instance.flavor
    kernel = {name: instance.get(name, "") for name in ("kernel_id", "ramdisk_id")}
    asked = {
        **{name: str(properties.get(name)) for name in properties.fields if name in properties},
        **(flavor.get("extra_specs", {}) or {}),
        **{name: value for name, value in kernel.items() if value},
    }
    trusted = instance.get("trusted_certs", None)
    requests = instance.get("pci_requests", None)
    ephemerals = driver.block_device_info_get_ephemerals(block_device_info)
    formats = {each.get("guest_format") for each in ephemerals} - {None, "", "ext4"}
    # Counts alone: a container has none of these, whichever they are.
    return policy.Wishes(
        settings=asked,
        devices=len(requests.requests if requests else ()) + len(accel_info or ()),
        root_volumes=int(not instance.image_ref),
        ephemeral_change=_ephemeral_gib(flavor) - _ephemeral_gib(instance.flavor),
        ephemeral_format=", ".join(sorted(formats)),
        certificates=len(trusted.ids if trusted else ()),
        dedicated=bool(dedicated),
    )


def inputs(
    context: RequestContext,
    instance: Instance,
    image_meta: ImageMeta,
    injected_files: Sequence[tuple[str, bytes]] | None,
    admin_password: str | None,
) -> Inputs:
    """Gather a tenant's inputs for the build of a server.

    Args:
        context: request, with its token.
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

    def drive(network_info: NetworkInfo) -> Tree:
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


def login(image_meta: ImageMeta, password: str) -> Login:
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


def shutdown_timeout(instance: Instance) -> int:
    """Say how long an instance may take to end by itself.

    Args:
        instance: Nova's.

    Returns:
        Seconds: its image's ``os_shutdown_timeout``, else nova.conf's.
    """
    return int(instance.system_metadata.get("image_os_shutdown_timeout", CONF.shutdown_timeout))


def described(context: RequestContext, image_api: ImageApi, image: str) -> Any:
    """Ask Glance for an image that no server was asked for.

    Args:
        context: the request's, for Glance.
        image_api: Nova's ``nova.image.glance.API``.
        image: id in Glance.

    Returns:
        Nova's ``ImageMeta``.

    Raises:
        nova.exception.ImageNotFound: there is none.
    """
    return objects.ImageMeta.from_image_ref(context, image_api, image)


def _ephemeral_gib(flavor: Any) -> int:
    return int(flavor.get("ephemeral_gb", 0) or 0)
