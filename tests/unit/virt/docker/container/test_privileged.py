# SPDX-License-Identifier: Apache-2.0
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from novadocker.virt.docker.container.privileged import _lost


@pytest.fixture
def files() -> Iterator[Path]:
    """A container's own files, on a disk that keeps attributes."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        (Path(made) / "srv/web").mkdir(parents=True)
        (Path(made) / "srv/web/page").write_text("hello")
        (Path(made) / "srv/out").symlink_to("/")
        yield Path(made)


def lost(files: Path, *, attributes: bool = True) -> list[str]:
    """Return descriptions of the files that a layer cannot carry."""
    return list(_lost(str(files), attributes=attributes))


def test_ordinary_files_go_into_a_layer(files: Path) -> None:
    """Files, directories and links lose nothing, and no link is followed."""
    assert lost(files) == []


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_name_that_means_a_deletion_is_found(files: Path, kind: str) -> None:
    """An image layer takes .wh.app for the removal of app."""
    path = files / "srv/.wh.app"
    path.mkdir() if kind == "directory" else path.touch()
    (found,) = lost(files, attributes=False)
    assert found.startswith("/srv/.wh.app (")


def test_attributes_that_a_layer_lacks_are_found(files: Path) -> None:
    """Attributes of users are dropped by a commit, and only told where they count."""
    os.setxattr(files / "srv/web/page", "user.colour", b"red")
    assert lost(files) == ["/srv/web/page (user.colour)"]
    assert lost(files, attributes=False) == []
