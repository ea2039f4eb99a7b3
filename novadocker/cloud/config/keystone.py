# SPDX-License-Identifier: Apache-2.0
"""Keystone's configuration."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import SILENT, Common


def files(common: Common) -> dict[Path, str]:
    """Return Keystone's files."""
    data = common.layout.data / "keystone"
    sections: ini.Sections = {
        "DEFAULT": common.logging,
        "database": common.database("keystone"),
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": data / "fernet-keys"},
        "credential": {"key_repository": data / "credential-keys"},
        # Default rounds cost 200 ms of processor for every password; these are for trying.
        "identity": {"password_hash_rounds": 4},
        # One process, so its memory will do; without a cache each token costs 100 ms more.
        "cache": {
            "enabled": True,
            "backend": "dogpile.cache.memory",
            "expiration_time": 600,
        },
        "oslo_messaging_notifications": SILENT,
    }
    return {common.layout.conf("keystone") / "keystone.conf": ini.render(sections)}
