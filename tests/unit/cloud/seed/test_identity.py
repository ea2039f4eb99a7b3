# SPDX-License-Identifier: Apache-2.0
from novadocker.cloud.config.common import Common
from novadocker.cloud.seed import identity


def test_each_cloud_has_its_own_user_and_password(common: Common) -> None:
    """The tenant cannot act as the administrator."""
    clouds = identity.clouds(common)["clouds"]
    assert {name: cloud["auth"]["username"] for name, cloud in clouds.items()} == {
        "admin": "admin",
        "demo": "demo",
    }
    assert clouds["admin"]["auth"]["password"] != clouds["demo"]["auth"]["password"]
