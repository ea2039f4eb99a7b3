# SPDX-License-Identifier: Apache-2.0
"""The two engines of a hybrid host, each asked about one server."""

from pathlib import Path
from typing import Any

from nova import exception
from nova.virt.libvirt.driver import LibvirtDriver
from oslo_config import cfg
from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.policy import GIB
from novadocker.virt.docker.compute.assembly import Parts
from novadocker.virt.docker.container.labels import LABEL_INSTANCE
from novadocker.virt.docker.host.disk import apart, disk

LOG = logging.getLogger(__name__)

# Values of [libvirt] images_type that keep disks in a pool of their own.
_NOT_ON_INSTANCES_PATH = frozenset({"lvm", "rbd"})
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
        """Return True where the engine has a container of the server, leftovers included.

        Args:
            instance: nova.objects.Instance.

        Raises:
            nova.exception.HypervisorUnavailable: the engine does not answer.
        """
        try:
            # From the list, which takes no lock of a container: an inspection may hang behind
            # a container's operation, and each of Nova's calls begins with this question.
            return bool(self._parts.engine.listed(f"{LABEL_INSTANCE}={instance.uuid}"))
        except DockerDriverError as error:
            raise exception.HypervisorUnavailable(host=instance.host) from error

    def own_disk(self, conf: cfg.ConfigOpts) -> int | None:
        """Return the size of the containers' disk where machines have another.

        Args:
            conf: configuration of nova-compute.

        Returns:
            GiB, None where containers and machines share one file system.

        Raises:
            DockerDriverError: the engine does not answer.
        """
        info = self._parts.engine.info()
        elsewhere = conf.libvirt.images_type in _NOT_ON_INSTANCES_PATH
        if elsewhere or apart(info, Path(conf.instances_path)):
            return disk(info).total // GIB
        return None

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
