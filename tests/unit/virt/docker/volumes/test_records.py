# SPDX-License-Identifier: Apache-2.0
import stat
from dataclasses import replace
from pathlib import Path

from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Attachment

ONE = Attachment("v1", "i1", "/data", {"data": {"auth_password": "secret"}}, device="/dev/vdb")


def test_a_record_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    """Another process finds it, a second writing replaces it, and nothing is left of it."""
    records, other = Records(tmp_path / "volumes"), Records(tmp_path / "volumes")
    assert (records.find("i1", "v1"), records.of("i1"), records.holders("v1")) == (None, [], set())
    records.keep(ONE)
    records.keep(replace(ONE, made=True))
    assert other.find("i1", "v1") == replace(ONE, made=True)
    other.forget(ONE)
    other.forget(ONE)
    assert records.of("i1") == []
    assert list((tmp_path / "volumes").iterdir()) == []


def test_servers_that_share_a_volume_are_known(tmp_path: Path) -> None:
    """By their ids, and without the one that asks."""
    records, two = Records(tmp_path), replace(ONE, instance="i2")
    records.keep(ONE)
    records.keep(two)
    records.keep(replace(ONE, volume="v2"))
    assert records.holders("v1") == {"i1", "i2"}
    assert records.others(ONE) == [two]


def test_secrets_of_the_storage_are_the_services_alone(tmp_path: Path) -> None:
    """Neither the directory nor a record can be read by others."""
    records = Records(tmp_path / "volumes")
    records.keep(ONE)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "volumes").rglob("*")]
    assert all(mode & 0o077 == 0 for mode in modes)
    assert stat.S_IMODE((tmp_path / "volumes").stat().st_mode) == 0o700
