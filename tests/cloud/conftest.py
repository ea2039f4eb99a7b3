# SPDX-License-Identifier: Apache-2.0
"""The whole cloud, for tests through its APIs."""

from tests.cloud_site import (
    pytest_itemcollected,
    site,
    standing,
    standing_address,
    tenant,
    web,
    web_archive,
)

__all__ = [
    "pytest_itemcollected",
    "site",
    "standing",
    "standing_address",
    "tenant",
    "web",
    "web_archive",
]
