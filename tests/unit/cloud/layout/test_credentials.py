# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
from pathlib import Path

from novadocker.cloud.layout import credentials


def test_credentials_are_made_once_and_differ(tmp_path: Path) -> None:
    """No password serves two purposes, and a later run finds the same ones."""
    made = credentials.load_or_make(tmp_path / "c.json")
    assert len(set(dataclasses.astuple(made))) == len(dataclasses.fields(made))
    assert credentials.load_or_make(tmp_path / "c.json") == made


def test_credentials_are_read_by_their_owner_only(tmp_path: Path) -> None:
    """The file is closed to everyone else."""
    credentials.load_or_make(tmp_path / "c.json")
    assert (tmp_path / "c.json").stat().st_mode & 0o777 == 0o600


def test_an_older_clouds_credentials_are_completed(tmp_path: Path) -> None:
    """Kept passwords stay; passwords wanted by a newer launcher are made and kept."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"database": "kept"}))
    completed = credentials.load_or_make(path)
    assert completed.database == "kept"
    assert len(completed.stacks) == 32
    assert credentials.load_or_make(path) == completed
