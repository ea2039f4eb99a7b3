# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.cloud.errors import StateRefused
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.settings import Settings


def test_settings_come_back_as_they_were_stored(tmp_path: Path) -> None:
    """A choice of the owner holds for every later command."""
    chosen = Settings(port_base=20000, fake_host=True)
    settings.store(tmp_path / "state", chosen)
    assert settings.load(tmp_path / "state") == chosen
    assert settings.decide(tmp_path / "state", {}) == chosen


def test_what_is_asked_for_replaces_what_is_kept(tmp_path: Path) -> None:
    """The driver of an existing cloud can be changed."""
    settings.store(tmp_path, Settings(driver="old.Driver"))
    assert settings.decide(tmp_path, {"driver": "new.Driver"}).driver == "new.Driver"


def test_addresses_of_an_existing_cloud_stay(tmp_path: Path) -> None:
    """Fixed settings are in databases, so a change is refused, with the kept value."""
    settings.store(tmp_path, Settings())
    with pytest.raises(StateRefused, match="port_base = 17700; purge"):
        settings.decide(tmp_path, {"port_base": 18000})


def test_the_network_of_an_existing_cloud_stays(tmp_path: Path) -> None:
    """Ports are bound to a kind of network; a cloud from before the choice has OVN."""
    settings.store(tmp_path, Settings(network="ovs"))
    with pytest.raises(StateRefused, match="network = ovs; purge"):
        settings.decide(tmp_path, {"network": "ovn"})
    (tmp_path / settings.FILE_NAME).write_text('{"port_base": 17700}')
    assert settings.load(tmp_path).network == "ovn"


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Neither up nor any other command takes somebody else's directory."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StateRefused, match="neither empty nor"):
        settings.decide(tmp_path, {})
    with pytest.raises(StateRefused, match="there is no cloud"):
        settings.load(tmp_path)


def test_the_state_is_traversable_by_remapped_users(tmp_path: Path) -> None:
    """A container's root, an ordinary user of the host, reaches files below the state."""
    settings.store(tmp_path / "state", Settings())
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o711


def test_an_addition_is_kept_until_it_is_taken_away(tmp_path: Path) -> None:
    """A later up need not name it again."""
    settings.store(tmp_path, Settings(**settings.additions(["heat"], wanted=True)))
    assert settings.decide(tmp_path, {}).heat
    assert not settings.decide(tmp_path, settings.additions(["heat"], wanted=False)).heat
