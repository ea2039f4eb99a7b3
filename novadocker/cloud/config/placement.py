# SPDX-License-Identifier: Apache-2.0
"""Placement's configuration."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import Common


def files(common: Common) -> dict[Path, str]:
    """Return Placement's files."""
    sections: ini.Sections = {
        "DEFAULT": common.logging,
        "api": {"auth_strategy": "keystone"},
        "placement_database": common.database("placement"),
        "keystone_authtoken": common.authtoken,
    }
    return {common.layout.conf("placement") / "placement.conf": ini.render(sections)}
