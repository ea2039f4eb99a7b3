# SPDX-License-Identifier: Apache-2.0
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from novadocker.cloud.errors import StateRefused
from novadocker.cloud.machine.remains_of_cloud import mounts_below, remove_tree


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """Yield a directory below which another, with a file in it, is mounted."""
    other, state = tmp_path / "other", tmp_path / "real/state"
    (state / "data/mount").mkdir(parents=True)
    other.mkdir()
    (other / "theirs").write_text("precious")
    done = subprocess.run(["mount", "--bind", str(other), str(state / "data/mount")], check=False)
    if done.returncode:
        pytest.skip("mounting needs root")
    yield state
    subprocess.run(["umount", str(state / "data/mount")], check=True)


def test_nothing_is_deleted_through_a_live_mount(mounted: Path) -> None:
    """A directory with a mount below is refused by the mount's name, and all files stay."""
    with pytest.raises(StateRefused, match="data/mount"):
        remove_tree(mounted)
    assert (mounted / "data/mount/theirs").read_text() == "precious"


def test_a_mount_is_seen_behind_a_link_on_the_way(mounted: Path, tmp_path: Path) -> None:
    """A directory that is named through a linked parent has the same mounts below."""
    (tmp_path / "linked").symlink_to(mounted.parent)
    named = tmp_path / "linked/state"
    assert mounts_below(named) == [str(mounted / "data/mount")]
    with pytest.raises(StateRefused):
        remove_tree(named)


def test_a_tree_without_mounts_goes(tmp_path: Path) -> None:
    """Files and directories go, the targets of links stay, and a second time is as the first."""
    tree, target = tmp_path / "tree", tmp_path / "target"
    (tree / "a/b").mkdir(parents=True)
    target.mkdir()
    (tree / "a/link").symlink_to(target)
    remove_tree(tree)
    remove_tree(tree)
    assert not tree.exists()
    assert target.is_dir()
