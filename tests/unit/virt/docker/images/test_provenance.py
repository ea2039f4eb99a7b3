# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from novadocker.virt.docker.images import provenance
from novadocker.virt.docker.images.provenance import Origin, Provenance

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
ONE = Origin("5f0c1f3e-7b0d", "01ab", {A: 10, B: 20})
TWO = Origin("6f0c1f3e-7b0d", "02ab", {A: 10})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where it is written down; not there yet."""
    return tmp_path / "a" / "b"


def test_what_was_found_is_known_after_a_restart(directory: Path) -> None:
    """Those images that have most of the layers come first."""
    Provenance(directory).remember(TWO)
    Provenance(directory).remember(ONE)
    again = Provenance(directory)
    assert again.origins({A, B}) == [ONE, TWO]
    assert again.origins({C}) == []
    assert directory.stat().st_mode & 0o777 == 0o700


def test_nothing_is_known_at_first(directory: Path) -> None:
    """And a host that was upgraded has nothing."""
    assert Provenance(directory).origins({A}) == []
    Provenance(directory).sweep({A})


def test_what_is_found_later_takes_the_place_of_what_was_found_before(directory: Path) -> None:
    """Of the same image; of another content it is another note."""
    memory = Provenance(directory)
    memory.remember(ONE)
    memory.remember(Origin(ONE.image, ONE.digits, {B: 20}))
    memory.remember(Origin(ONE.image, "ff", {C: 1}))
    assert memory.origins({A}) == []
    assert {each.digits for each in memory.origins({B, C})} == {ONE.digits, "ff"}


def test_what_the_engine_has_nothing_of_is_forgotten(directory: Path) -> None:
    """One layer is enough to be kept: it may be all that another image needs."""
    memory = Provenance(directory)
    memory.remember(ONE)
    memory.remember(TWO)
    memory.sweep({B, C})
    assert memory.origins({A, B}) == [ONE]
    memory.sweep(set())
    assert list(directory.iterdir()) == []


def test_the_oldest_is_forgotten_when_there_are_many(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never more than so many files."""
    monkeypatch.setattr(provenance, "MOST_IMAGES", 3)
    memory = Provenance(directory)
    for number in range(5):
        memory.remember(Origin(f"i{number}", "aa", {A: 1}))
        os.utime(directory / f"i{number}.aa.json", (number, number))
    assert [each.image for each in memory.origins({A})] == ["i2", "i3", "i4"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"layers": []}', '{"layers": {"x": 1}}', f'{{"layers": {{"{A}": true}}}}'],
)
def test_a_damaged_note_vouches_for_nothing(directory: Path, text: str) -> None:
    """It is removed; the others count."""
    memory = Provenance(directory)
    memory.remember(TWO)
    (directory / "7f0c.aa.json").write_text(text)
    assert memory.origins({A}) == [TWO]
    assert not (directory / "7f0c.aa.json").exists()


def test_a_name_that_is_a_path_is_not_written(directory: Path) -> None:
    """Glance's ids are none; should one be, nothing is written anywhere."""
    Provenance(directory).remember(Origin("../../x", "aa", {A: 1}))
    assert not directory.exists()


def test_a_disk_that_takes_nothing_does_not_fail_a_boot(tmp_path: Path) -> None:
    """The layers are read again next time."""
    (tmp_path / "file").write_text("")
    Provenance(tmp_path / "file" / "below").remember(ONE)
