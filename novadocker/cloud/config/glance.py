# SPDX-License-Identifier: Apache-2.0
"""Glance's configuration."""

from pathlib import Path

from novadocker.cloud.config import horizon, ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.layout.layout import Layout

_PASTE = "glance-api-paste.ini"
# Glance's own default: an option replaces the list.
_DISK_FORMATS = ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"]


def files(common: Common) -> dict[Path, str]:
    """Return Glance's files."""
    layout = common.layout
    data, conf = layout.data / "glance", layout.conf("glance")
    paste = (layout.venv / f"etc/glance/{_PASTE}").read_text()
    sections: ini.Sections = {
        "DEFAULT": {
            **common.logging,
            "enabled_backends": "fs:file",
            # An upload through the API needs no import method, and spares the staging area.
            "enabled_import_methods": "[]",
            "transport_url": common.transport_url,
        },
        "database": common.database("glance"),
        "glance_store": {"default_backend": "fs"},
        "fs": {"filesystem_store_datadir": data / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": data / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": data / "tasks"},
        "oslo_messaging_notifications": SILENT,
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": conf / _PASTE,
        },
        "oslo_concurrency": common.locks("glance"),
        "keystone_authtoken": common.authtoken,
        **(_for_dashboard(layout) if layout.settings.horizon else {}),
    }
    main = conf / "glance-api.conf"
    # Else its filters look for a configuration in /etc, and nowhere else.
    program = "oslo_config_program = glance-api\n"
    filters = paste.replace(program, f"{program}oslo_config_file = {main}\n")
    return {main: ini.render(sections), conf / _PASTE: filters}


def _for_dashboard(layout: Layout) -> dict[str, ini.Section]:
    return {
        "image_format": {"disk_formats": ",".join((*_DISK_FORMATS, horizon.DISK_FORMAT))},
        # Its pages send images here themselves.
        "cors": {"allowed_origin": ",".join(horizon.origins(layout))},
    }
