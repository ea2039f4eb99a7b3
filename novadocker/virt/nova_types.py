# SPDX-License-Identifier: Apache-2.0
"""Names for Nova's objects in a driver's calls; Nova itself is not typed.

Each alias says in its comment which class is meant. The protocols list the calls that are made,
so that a test double can be checked against them. Nothing is imported from Nova here: every
package may use these names.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

RequestContext: TypeAlias = Any  # nova.context.RequestContext
Instance: TypeAlias = Any  # nova.objects.Instance
InstanceList: TypeAlias = Any  # nova.objects.InstanceList
ImageMeta: TypeAlias = Any  # nova.objects.ImageMeta
NovaFlavor: TypeAlias = Any  # nova.objects.Flavor
Migration: TypeAlias = Any  # nova.objects.Migration
NetworkInfo: TypeAlias = Any  # nova.network.model.NetworkInfo, a list of VIFs that may block
Vif: TypeAlias = Any  # nova.network.model.VIF, a dict
BlockDeviceInfo: TypeAlias = Any  # the dict of nova.virt.driver.get_block_device_info
BlockDevice: TypeAlias = Any  # nova.objects.BlockDeviceMapping
BlockDevices: TypeAlias = Any  # nova.objects.BlockDeviceMappingList
ConnectionInfo: TypeAlias = Any  # Cinder's connection of a volume, a dict or None
InjectedFiles: TypeAlias = Any  # pairs of path and content in base64, or None
AcceleratorInfo: TypeAlias = Any  # Cyborg's accelerator requests, a list of dicts or None
ShareInfo: TypeAlias = Any  # nova.objects.ShareMappingList
MigrateData: TypeAlias = Any  # nova.objects.migrate_data.LiveMigrateData
Allocations: TypeAlias = Any  # Placement's allocations of one consumer, by resource provider
ProviderTree: TypeAlias = Any  # nova.compute.provider_tree.ProviderTree


class VirtAPI(Protocol):
    """Calls of nova.compute.manager.ComputeVirtAPI, by which a driver waits for Neutron."""

    def wait_for_instance_event(
        self,
        instance: Instance,
        event_names: list[tuple[str, str]],
        timeout: int = 300,
        error_callback: Callable[[str, Instance], Any] | None = None,
    ) -> Any:
        """Return a context whose end waits until all events have come."""

    def update_compute_provider_status(
        self,
        context: RequestContext,
        rp_uuid: str,
        enabled: bool,  # noqa: FBT001 - as Nova declares it
    ) -> None:
        """Tell Placement whether a host takes new servers."""


class ImageApi(Protocol):
    """Calls of nova.image.glance.API."""

    def get(self, context: RequestContext, image_id: str) -> dict[str, Any]:
        """Return the record of an image."""

    def update(
        self,
        context: RequestContext,
        image_id: str,
        account: Mapping[str, Any],
        *,
        data: Any = None,
        purge_props: bool = False,
    ) -> dict[str, Any]:
        """Change the record of an image, and send its bytes."""

    def download(self, context: RequestContext, image_id: str) -> Iterable[bytes]:
        """Return the bytes of an image, piece by piece."""

    def delete(self, context: RequestContext, image_id: str) -> None:
        """Delete an image."""
