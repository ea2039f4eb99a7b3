# SPDX-License-Identifier: Apache-2.0
"""Cinder's configuration: one file for its API, scheduler and volume service."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.layout.layout import LOOPBACK, Layout
from novadocker.cloud.storage import environment, share

FILES, NFS = "files", "nfs"
BACKENDS = (FILES, NFS)


def files(common: Common) -> dict[Path, str]:
    """Return its files."""
    layout = common.layout
    conf = layout.conf("cinder")
    return {
        conf / "cinder.conf": ini.render(_sections(common)),
        conf / "nfs_shares": f"{share.NAME}\n",
        **{
            backend_file(layout, each): ini.render({"DEFAULT": {"enabled_backends": each}})
            for each in BACKENDS
        },
    }


def backend_file(layout: Layout, backend: str) -> Path:
    """Return the file that leaves one backend to a volume service.

    The services of a process share the id of the one that was started last: all heartbeats are
    that one's, and the scheduler calls the other backends down after a minute.
    """
    return layout.conf("cinder") / f"{backend}.conf"


def _sections(common: Common) -> ini.Sections:
    layout = common.layout
    state, conf = share.directory(layout), layout.conf("cinder")
    packaged = environment.current() / "etc/cinder"
    helper = {"helper_command": environment.program("privsep-helper")}
    return {
        "DEFAULT": {
            **common.logging,
            "transport_url": common.transport_url,
            "rpc_response_timeout": 60,
            "my_ip": LOOPBACK,
            "host": "control",
            "state_path": state,
            "enabled_backends": ",".join(BACKENDS),
            "default_volume_type": FILES,
            "glance_api_servers": layout.url(layout.ports.glance),
            "api_paste_config": packaged / "api-paste.ini",
            "resource_query_filters_file": packaged / "resource_filters.json",
            "allow_availability_zone_fallback": True,
            # Else a new volume waits a minute for the scheduler to know its backends.
            "backend_stats_polling_interval": 5,
            "periodic_fuzzy_delay": 0,
            "graceful_shutdown_timeout": 3,
            **dict.fromkeys(("quota_volumes", "quota_snapshots", "quota_gigabytes"), -1),
        },
        FILES: {
            "volume_driver": "novadocker.cloud.storage.files.FilesDriver",
            "volume_backend_name": FILES,
            "files_directory": state / "files",
        },
        NFS: {
            "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
            "volume_backend_name": NFS,
            "nfs_shares_config": conf / "nfs_shares",
            "nfs_mount_point_base": share.mount_base(layout),
            # Files of root, whom all of this runs as.
            "nas_secure_file_operations": False,
            "nas_secure_file_permissions": False,
        },
        "database": common.database("cinder"),
        "keystone_authtoken": common.authtoken,
        "nova": {**common.service_user, "interface": "internal"},
        "service_user": {"send_service_user_token": True, **common.service_user},
        "coordination": {"backend_url": f"file://{state}/coordination"},
        "key_manager": {"backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager"},
        "oslo_concurrency": common.locks("cinder"),
        "oslo_messaging_notifications": SILENT,
        **dict.fromkeys(("cinder_sys_admin", "privsep_osbrick"), helper),
    }
