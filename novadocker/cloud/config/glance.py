# SPDX-License-Identifier: Apache-2.0
"""Glance's configuration."""

from pathlib import Path

from novadocker.cloud.config import horizon, ini
from novadocker.cloud.config.common import SILENT, Common


def files(common: Common) -> dict[Path, str]:
    """Return its files."""
    layout = common.layout
    data = layout.data / "glance"
    origins = ",".join(horizon.origins(layout))
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
            "config_file": layout.venv / "etc/glance/glance-api-paste.ini",
        },
        "oslo_concurrency": common.locks("glance"),
        "keystone_authtoken": common.authtoken,
        # The dashboard's pages send images here themselves.
        "cors": {"allowed_origin": origins} if layout.settings.horizon else {},
    }
    return {layout.conf("glance") / "glance-api.conf": ini.render(sections)}
