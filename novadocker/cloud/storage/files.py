# SPDX-License-Identifier: Apache-2.0
"""Cinder driver with volumes as sparse files, for hosts on the same machine.

A volume that is attached is a loop device. A detach fails while anybody on the machine still
has that device: a compute driver that calls a volume detached too early is found out.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from cinder import exception, interface
from cinder.image import image_utils
from cinder.volume import driver, volume_utils
from oslo_config import cfg

from novadocker.cloud.storage import loops

_GIB = 1 << 30
OPTIONS = [
    cfg.StrOpt("files_directory", help="Directory of the volumes' files."),
]
cfg.CONF.register_opts(OPTIONS)


@interface.volumedriver
class FilesDriver(driver.VolumeDriver):
    """Volumes and snapshots as files of one directory."""

    VERSION = "1.0"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)
        self._directory = Path()

    def do_setup(self, context: Any) -> None:
        """Find the directory."""
        self._directory = Path(self.configuration.files_directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._links.mkdir(exist_ok=True)

    def check_for_setup_error(self) -> None:
        """Do nothing: the directory is there."""

    def local_path(self, volume: Any) -> str:
        """Return the path of a volume's file."""
        return str(self._file(volume))

    def create_volume(self, volume: Any) -> None:
        """Make a blank volume."""
        with self._file(volume).open("xb") as file:
            file.truncate(volume.size * _GIB)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        """Make a volume with a snapshot's content."""
        self._copy(self._file(snapshot), self._file(volume), volume.size)

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> None:
        """Make a volume with another one's content."""
        self._copy(self._file(src_vref), self._file(volume), volume.size)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        """Make a volume larger, whether it is attached or not."""
        os.truncate(self._file(volume), new_size * _GIB)
        loops.refresh(self._file(volume))

    def delete_volume(self, volume: Any) -> None:
        """Remove a volume that nobody has attached."""
        self._let_go(volume)
        self._file(volume).unlink(missing_ok=True)

    def create_snapshot(self, snapshot: Any) -> None:
        """Keep a volume's content as it is."""
        self._copy(self._file(snapshot.volume), self._file(snapshot), snapshot.volume_size)

    def delete_snapshot(self, snapshot: Any) -> None:
        """Remove a snapshot."""
        self._file(snapshot).unlink(missing_ok=True)

    def ensure_export(self, context: Any, volume: Any) -> None:
        """Give a volume its device back after the machine restarted."""
        if self._link(volume).is_symlink():
            self._export(volume)

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        """Do nothing: a device is made for a connection."""

    def remove_export(self, context: Any, volume: Any) -> None:
        """Take a volume's device away."""
        self._let_go(volume)

    def initialize_connection(self, volume: Any, connector: Any) -> dict[str, Any]:
        """Make a volume's device and return where it is."""
        self._export(volume)
        return {"driver_volume_type": "local", "data": {"device_path": str(self._link(volume))}}

    def terminate_connection(self, volume: Any, connector: Any, **kwargs: Any) -> bool:
        """Take a volume's device away with its last attachment; return whether there are more."""
        if len(volume.volume_attachment) > 1:
            return True
        self._let_go(volume)
        return False

    def copy_image_to_volume(
        self,
        context: Any,
        volume: Any,
        image_service: Any,
        image_id: str,
        disable_sparse: bool = False,
    ) -> None:
        """Fill a volume with an image."""
        image_utils.fetch_to_raw(
            context,
            image_service,
            image_id,
            self.local_path(volume),
            self.configuration.volume_dd_blocksize,
            size=volume.size,
            disable_sparse=disable_sparse,
        )
        os.truncate(self._file(volume), volume.size * _GIB)

    def copy_volume_to_image(
        self, context: Any, volume: Any, image_service: Any, image_meta: Any
    ) -> None:
        """Upload a volume as an image."""
        volume_utils.upload_volume(
            context, image_service, image_meta, self.local_path(volume), volume
        )

    def _update_volume_stats(self) -> None:
        disk = shutil.disk_usage(self._directory)
        self._stats = {
            "volume_backend_name": self.configuration.volume_backend_name,
            "vendor_name": "nova-docker",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            "total_capacity_gb": disk.total / _GIB,
            "free_capacity_gb": disk.free / _GIB,
            "thin_provisioning_support": True,
            "max_over_subscription_ratio": 100.0,
            "provisioned_capacity_gb": 0.0,
            "reserved_percentage": 0,
            "multiattach": True,
            "online_extend_support": True,
        }

    @property
    def _links(self) -> Path:
        return self._directory / "devices"

    def _file(self, named: Any) -> Path:
        # As volume_name_template has it: a volume that was migrated keeps the file of its twin.
        return self._directory / str(named.name)

    def _link(self, volume: Any) -> Path:
        # One name for all of an attachment's life; loop devices change theirs with the machine's.
        return self._links / str(volume.name)

    def _export(self, volume: Any) -> None:
        device = loops.bind(self._file(volume))
        link = self._link(volume)
        if not (link.is_symlink() and str(link.readlink()) == device):
            link.unlink(missing_ok=True)
            link.symlink_to(device)

    def _let_go(self, volume: Any) -> None:
        try:
            loops.release(self._file(volume))
        except loops.StillHeld as error:
            raise exception.VolumeDriverException(message=str(error)) from error
        self._link(volume).unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path, gibibytes: int) -> None:
        os.sync()  # a file system on the volume may be in use
        subprocess.run(
            ["cp", "--sparse=always", "--reflink=auto", str(source), str(target)],
            check=True,
            capture_output=True,
        )
        os.truncate(target, gibibytes * _GIB)
