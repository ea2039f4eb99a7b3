# SPDX-License-Identifier: Apache-2.0
"""Horizon's settings: a Python module."""

from collections.abc import Mapping
from pathlib import Path

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import LOOPBACK, REGION, Layout

Settings = Mapping[str, object]
# By these names a browser on this machine, or at the other end of a tunnel, knows it.
NAMES = (LOOPBACK, "localhost")
# Horizon offers it only where Glance names it among its disk formats.
DISK_FORMAT = "docker"
# Actions that it would call done as soon as Nova has been asked, before the driver refuses them.
_NOT_OFFERED = (
    "os_compute_api:os-migrate-server:migrate",
    "os_compute_api:os-migrate-server:migrate_live",
    # Offered with every image, be there volumes or not.
    "volume:create",
)
_HEADER = "# SPDX-License-Identifier: Apache-2.0\n"


def files(common: Common, assets: Path) -> dict[Path, str]:
    """Return Horizon's files.

    Args:
        common: layout and credentials.
        assets: where its scripts and styles have been collected.
    """
    root = common.layout.conf("horizon")
    policies = root / "policies"
    settings = {**of_assets(assets), **_of_cloud(common), **_of_containers(policies)}
    rules = "".join(f'"{rule}": "!"\n' for rule in _NOT_OFFERED)
    return {policies / "containers.yaml": rules, **package(root, settings)}


def package(root: Path, settings: Settings) -> dict[Path, str]:
    """Return the files of Horizon's package ``local`` with the settings."""
    text = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
    local = root / "local"
    return {local / "__init__.py": _HEADER, local / "local_settings.py": _HEADER + text}


def of_assets(assets: Path) -> Settings:
    """Return the settings behind scripts and styles, the same for every cloud."""
    return {
        "COMPRESS_OFFLINE": True,
        "STATIC_ROOT": str(assets),
        "WEBROOT": "/",
        # One process, so its memory will do.
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "OPTIONS": {"MAX_ENTRIES": 10000},
            }
        },
        # There is one for each cloud; none is needed to make assets.
        "SECRET_KEY": "none",
    }


def origins(layout: Layout) -> tuple[str, ...]:
    """Return the addresses of pages, as browsers name origins to other services."""
    return tuple(f"http://{name}:{layout.ports.horizon}" for name in NAMES)


def _of_cloud(common: Common) -> Settings:
    return {
        "ALLOWED_HOSTS": list(NAMES),
        "SECRET_KEY": common.credentials.dashboard,
        # Cookies have no room for a token and a catalog.
        "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
        "OPENSTACK_KEYSTONE_URL": common.layout.identity_url,
        "OPENSTACK_CLOUDS_YAML_NAME": REGION,
    }


def _of_containers(policies: Path) -> Settings:
    return {
        # Beside the ones that it has; "!" is nobody.
        "POLICY_DIRS": {
            "compute": ["nova_policy.d", str(policies)],
            "volume": ["cinder_policy.d", str(policies)],
        },
        "CONSOLE_TYPE": "SERIAL",
        # A page of its own, which the page of the server has in a frame.
        "X_FRAME_OPTIONS": "SAMEORIGIN",
        # From the browser to Glance, and not by way of files of Horizon's.
        "HORIZON_IMAGES_UPLOAD_MODE": "direct",
        "CREATE_IMAGE_DEFAULTS": {"image_visibility": "private"},
        # Its pages make of it the container format "docker" with the disk format "raw".
        "OPENSTACK_IMAGE_BACKEND": {"image_formats": [(DISK_FORMAT, "Docker")]},
        "LAUNCH_INSTANCE_DEFAULTS": {
            "create_volume": False,
            "hide_create_volume": True,
            "disable_volume": True,
            "disable_volume_snapshot": True,
            # There is one host.
            "enable_scheduler_hints": False,
        },
        "OPENSTACK_HYPERVISOR_FEATURES": {
            "can_set_mount_point": False,
            "can_set_password": True,
            "enable_quotas": True,
            "requires_keypair": False,
        },
        "OPENSTACK_ENABLE_INSTANCE_PASSWORD_CHANGE": True,
    }
