# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest

from novadocker.cloud.layout import directories
from novadocker.cloud.layout.layout import Layout


@pytest.fixture
def made(layout: Layout, tmp_path: Path) -> Layout:
    """Return a layout with directories made, some by a careless earlier version."""
    layout = dataclasses.replace(layout, state=tmp_path / "state")
    for path in (layout.log, layout.data / "glance"):
        path.mkdir(parents=True, mode=0o755)
    directories.make(layout)
    return layout


@pytest.mark.parametrize(
    "name", ["log", "tmp", "conf", "data/glance", "data/mariadb", "data/rabbitmq", "data/ovn"]
)
def test_images_tables_and_logs_are_for_root_alone(made: Layout, name: str) -> None:
    """No other user of the machine reads what tenants or services keep."""
    assert (made.state / name).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", "data", "run", "data/docker1", "data/docker1/nova"])
def test_remapped_root_passes_but_nobody_lists(made: Layout, name: str) -> None:
    """The containers' root comes through to its own files; names are told to nobody."""
    assert (made.state / name).stat().st_mode & 0o777 == 0o711
