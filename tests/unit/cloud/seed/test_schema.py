# SPDX-License-Identifier: Apache-2.0
import dataclasses
from importlib import metadata
from pathlib import Path

import pytest

from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.seed import schema
from novadocker.cloud.seed.schema import Schema


@pytest.fixture
def here(layout: Layout, tmp_path: Path) -> Layout:
    """A layout whose directories exist."""
    made = dataclasses.replace(layout, state=tmp_path / "state")
    made.data.mkdir(parents=True)
    made.log.mkdir()
    return made


def _schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Schema:
    (tmp_path / "manage_double.py").write_text(f"import sys\ndef main():\n    {body}\n")
    root = Path(schema.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    return Schema("x", "pytest", "manage_double", ("-o",), (("one",), ("two", "2")))


def test_each_command_gets_its_own_arguments_in_order(
    here: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One import serves all commands, and none sees the other's parsed options."""
    body = f"open({str(tmp_path / 'out')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')"
    schema.ensure(here, _schema(tmp_path, monkeypatch, body))
    assert (tmp_path / "out").read_text() == "-o one\n-o two 2\n"
    assert (here.data / "schema-x").read_text() == metadata.version("pytest")


def test_the_same_version_is_not_run_again(
    here: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm start spends no time on tables that are as they should be."""
    (here.data / "schema-x").write_text(metadata.version("pytest"))
    schema.ensure(here, _schema(tmp_path, monkeypatch, "raise SystemExit(9)"))


def test_a_failed_command_is_named_with_its_output(
    here: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run tries again: no version is noted."""
    failing = _schema(tmp_path, monkeypatch, "print('no table'); raise SystemExit(3)")
    with pytest.raises(CommandFailed, match=r"no table\none: exit code 3"):
        schema.ensure(here, failing)
    assert not (here.data / "schema-x").exists()
