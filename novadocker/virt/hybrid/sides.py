# SPDX-License-Identifier: Apache-2.0
"""The two engines of a hybrid host, each asked about one server."""

from typing import Any

from nova import exception
from nova.virt.libvirt.driver import LibvirtDriver
from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.virt.docker.compute.assembly import Parts
from novadocker.virt.docker.container.labels import container_name

LOG = logging.getLogger(__name__)

# Nova's libvirt driver writes the image of a machine into the metadata of its domain
# (nova.virt.libvirt.config.LibvirtConfigGuestMetaNovaInstance).
_IMAGE_IN_DOMAIN = '<nova:root type="image" uuid="'


class Containers:
    """The Docker Engine's side.

    Args:
        parts: parts of the host's Docker driver.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def has(self, instance: Any) -> bool:
        """Return True where the engine has the server's container.

        Args:
            instance: nova.objects.Instance.

        Raises:
            nova.exception.HypervisorUnavailable: the engine does not answer.
        """
        try:
            return self._parts.engine.find(container_name(instance.uuid)) is not None
        except DockerDriverError as error:
            raise exception.HypervisorUnavailable(host=instance.host) from error

    def image_of(self, uuid: str) -> str:
        """Return the Glance id of the image of a server's container.

        Args:
            uuid: id of the instance.

        Returns:
            The id, "" where there is none.
        """
        return self._parts.lifecycle.image_of(uuid)


class Machines:
    """Libvirt's side.

    Args:
        driver: Nova's libvirt driver of the host.
    """

    def __init__(self, driver: LibvirtDriver) -> None:
        self._driver = driver

    def has(self, instance: Any) -> bool:
        """Return True where libvirt has the server's domain.

        Args:
            instance: nova.objects.Instance.

        Raises:
            nova.exception.HypervisorUnavailable: libvirt does not answer.
        """
        try:
            self._driver._host.get_guest(instance)  # noqa: SLF001 - no public way to look
        except exception.InstanceNotFound:
            return False
        except exception.InternalError as error:
            raise exception.HypervisorUnavailable(host=instance.host) from error
        return True

    def image_of(self, uuid: str) -> str:
        """Return the Glance id of the image in the metadata of a server's domain.

        Args:
            uuid: id of the instance.

        Returns:
            The id, "" where there is none.
        """
        try:
            connection = self._driver._host.get_connection()  # noqa: SLF001 - as above
            described = connection.lookupByUUIDString(uuid).XMLDesc()
        except Exception as error:  # noqa: BLE001 - libvirt.libvirtError, of a module imported late
            LOG.warning("Image of server %s is not known to libvirt: %s", uuid, error)
            return ""
        return str(described).partition(_IMAGE_IN_DOMAIN)[2].partition('"')[0]
