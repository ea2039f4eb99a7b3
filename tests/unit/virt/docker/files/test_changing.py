# SPDX-License-Identifier: Apache-2.0
"""Directories read while they change, and brought up to date by what has changed."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from novadocker.virt.docker.files.amend import Amender
from novadocker.virt.docker.files.changing import ChangingPacker, RestPacker, Survey
from novadocker.virt.docker.files.entry import Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.unpack import Incoming, Unpacker


def _carried(
    pack: Callable[[socket.socket], object], unpack: Callable[[socket.socket], int]
) -> object:
    near, far = socket.socketpair()
    results: list[object] = []

    def run() -> None:
        with near:
            results.append(pack(near))

    thread = threading.Thread(target=run)
    thread.start()
    with far:
        unpack(far)
    thread.join()
    return results[0]


def _first(source: Path, there: Path) -> Survey:
    found = _carried(
        lambda out: ChangingPacker(out).survey(str(source)),
        lambda incoming: Unpacker(Incoming(incoming)).unpack(str(there)),
    )
    assert isinstance(found, Survey)
    return found


def _rest(source: Path, there: Path, survey: Survey) -> None:
    _carried(
        lambda out: RestPacker(out, survey).pack(str(source)),
        lambda incoming: Amender(Incoming(incoming)).unpack(str(there)),
    )


def _seen(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        kind = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        links = 0 if path.is_dir() else status.st_nlink
        found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, links, kind)
    return found


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """A directory with members of all sorts, and an empty one."""
    source, there = tmp_path / "source", tmp_path / "there"
    (source / "deep/er").mkdir(parents=True)
    (source / "gone").mkdir()
    (source / "gone/inside").write_text("x")
    (source / "same").write_text("same")
    (source / "changed").write_text("before")
    (source / "removed").write_text("removed")
    (source / "one").write_text("linked")
    os.link(source / "one", source / "deep/two")
    (source / "link").symlink_to("same")
    (source / "deep/er/file").write_text("deep")
    there.mkdir()
    time.sleep(0.1)  # what is older than a tick of the kernel's clock counts as unchanged
    return source, there


def test_what_changed_between_two_readings_arrives(both: tuple[Path, Path]) -> None:
    """Written, new, removed, moved and linked files are as at the source in the end."""
    source, there = both
    survey = _first(source, there)
    assert _seen(there) == _seen(source)
    (source / "changed").write_text("after")
    (source / "removed").unlink()
    shutil.rmtree(source / "gone")
    (source / "gone").write_text("a file now")
    (source / "deep").rename(source / "moved")
    (source / "new").mkdir()
    (source / "new/file").write_text("new")
    os.link(source / "one", source / "three")
    (source / "link").unlink()
    (source / "link").mkdir()
    _rest(source, there, survey)
    assert _seen(there) == _seen(source)


def test_what_did_not_change_is_not_sent_again(both: tuple[Path, Path]) -> None:
    """A file that is kept has the inode of before, and a changed one another."""
    source, there = both
    survey = _first(source, there)
    (source / "changed").write_text("after")
    before = {name: (there / name).stat().st_ino for name in ("same", "deep/er/file", "one")}
    _rest(source, there, survey)
    assert before == {name: (there / name).stat().st_ino for name in before}
    assert (there / "changed").read_text() == "after"


def test_a_directory_in_the_place_of_another_is_sent_whole(both: tuple[Path, Path]) -> None:
    """Its members are older than the first reading, and have never been at this path."""
    source, there = both
    (source / "other").mkdir()
    (source / "other/inside").write_text("y")
    time.sleep(0.1)
    survey = _first(source, there)
    shutil.rmtree(source / "gone")
    (source / "other").rename(source / "gone")
    _rest(source, there, survey)
    assert _seen(there) == _seen(source)
    assert (there / "gone/inside").read_text() == "y"


def test_without_a_survey_all_is_sent(both: tuple[Path, Path]) -> None:
    """A daemon that has lost its memory costs time, and no file."""
    source, there = both
    _first(source, there)
    (there / "same").write_text("spoiled")
    _rest(source, there, Survey())
    assert _seen(there) == _seen(source)


def test_an_attribute_taken_away_is_gone(both: tuple[Path, Path]) -> None:
    """A directory that stays loses what it lost at the source."""
    source, there = both
    os.setxattr(source / "deep", "user.colour", b"blue")
    time.sleep(0.1)
    survey = _first(source, there)
    os.removexattr(source / "deep", "user.colour")
    _rest(source, there, survey)
    assert os.listxattr(there / "deep") == []


def test_a_directory_under_change_is_read_to_its_end(both: tuple[Path, Path]) -> None:
    """Files that come, go, grow and shrink meanwhile are right after the second reading."""
    source, there = both
    for number in range(300):
        (source / f"f{number}").write_bytes(bytes(20000))
    stop = threading.Event()

    def change() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            name = source / f"f{turn % 300}"
            if turn % 3 == 0:
                name.unlink(missing_ok=True)
            else:
                name.write_bytes(os.urandom((turn * 7919) % 40000))

    changer = threading.Thread(target=change)
    changer.start()
    try:
        survey = _first(source, there)
    finally:
        stop.set()
        changer.join()
    _rest(source, there, survey)
    assert _seen(there) == _seen(source)


def test_a_kept_file_that_never_came_is_a_fault(tmp_path: Path) -> None:
    """A stream that does not fit the directory is never taken for a whole one."""

    def pack(out: socket.socket) -> None:
        for entry in (
            Entry(Kind.DIRECTORY, mode=0o40755, known=True),
            Entry(Kind.KEEP, names=["nobody"]),
        ):
            out.sendall(entry.encode())

    with pytest.raises(Fault, match="nobody"):
        _carried(pack, lambda incoming: Amender(Incoming(incoming)).unpack(str(tmp_path)))
