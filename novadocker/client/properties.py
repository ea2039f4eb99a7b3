# SPDX-License-Identifier: Apache-2.0
"""Properties of images in Glance, for Nova to send them to hosts able to boot them."""

from collections.abc import Mapping
from platform import machine
from typing import Any

from novadocker.archive import Platform
from novadocker.archive.image import index
from novadocker.client.errors import PlatformRefused, PropertiesRefused
from novadocker.client.examination import Examined

GiB = 1024**3

FORMATS = {"container_format": "docker", "disk_format": "raw"}

# What an image's config calls an architecture, and what Nova does. It knows no other; for
# those nothing is said, and the host's own check decides.
_MACHINES = {
    "amd64": "x86_64",
    "386": "i686",
    "arm64": "aarch64",
    "arm": "armv7l",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
}
SET_BY_IMPORT = ("architecture", "hypervisor_type", "os_type", "os_distro", "os_version")
_GLANCES_OWN = {
    "checksum",
    "container_format",
    "created_at",
    "direct_url",
    "disk_format",
    "file",
    "id",
    "locations",
    "min_disk",
    "min_ram",
    "name",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "owner",
    "protected",
    "schema",
    "self",
    "size",
    "status",
    "stores",
    "tags",
    "updated_at",
    "virtual_size",
    "visibility",
}


def platform(word: str | None) -> Platform:
    """Read the platform wanted by a user.

    Args:
        word: OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT; None for this machine's architecture.

    Raises:
        PlatformRefused: it is neither.
    """
    if word is None:
        # A cloud's hosts need not have the features of this machine's processor.
        return Platform.of_machine(machine())
    os, architecture, variant, *more = (*word.split("/"), "", "")
    if not os or not architecture or any(more):
        raise PlatformRefused(value=word)
    return Platform(architecture, os, variant)


def platform_of(properties: Mapping[str, str]) -> Platform:
    """Return the platform of an image in Glance.

    Args:
        properties: properties of the image; without a platform there it is this machine's.
    """
    told = properties.get("architecture") or properties.get("hw_architecture")
    return Platform.of_machine(told or machine())


def wanted_of(word: str | None, properties: Mapping[str, str]) -> Platform:
    """Return the wanted variant of an image in Glance.

    Args:
        word: platform that the user gave, if any.
        properties: properties of the image, which say it otherwise.
    """
    return platform(word) if word else platform_of(properties)


def known(wanted: Platform) -> dict[str, str]:
    """Return the properties that are known before an archive is read.

    Args:
        wanted: platform that the image must be made for.
    """
    # Without the type the scheduler may send a container to a host of virtual machines.
    properties = {"hypervisor_type": "docker", "os_type": wanted.os}
    told = _MACHINES.get(wanted.architecture)
    # An image for older ARMs runs on these, too, of which Nova knows nothing.
    if told and (wanted.architecture, wanted.variant) not in {("arm", "v5"), ("arm", "v6")}:
        properties["architecture"] = told
    return properties


def learnt(examined: Examined) -> dict[str, Any]:
    """Return what was learnt of an archive.

    Args:
        examined: archive that was read.

    Returns:
        Properties, and the root disk that a server must have to hold its layers.
    """
    properties: dict[str, Any] = {"min_disk": -(-examined.image.size // GiB)}
    if examined.release.distro:
        properties["os_distro"] = examined.release.distro
    if examined.release.version:
        properties["os_version"] = examined.release.version
    if examined.index:
        properties[index.PROPERTY] = examined.index.text()
    return properties


def given(properties: Mapping[str, str]) -> dict[str, str]:
    """Return what a user wants set.

    Args:
        properties: as the user gave them.

    Raises:
        PropertiesRefused: one of them cannot be.
    """
    for name, value in properties.items():
        if name in _GLANCES_OWN:
            reason = "it is Glance's own and no property"
            raise PropertiesRefused(name=name, value=value, reason=reason)
        if name == index.PROPERTY:
            reason = "it is made from the archive"
            raise PropertiesRefused(name=name, value=value, reason=reason)
    return dict(properties)
