# SPDX-License-Identifier: Apache-2.0
import io
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from novadocker.client import output
from novadocker.client.errors import OutputRefused


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Until then an older one of its name is what it was."""
    path = tmp_path / "web.tar"
    path.write_text("old")
    with output.opened(str(path)) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_of_what_failed(tmp_path: Path, fault: type[BaseException]) -> None:
    """Neither the file nor a part of it."""

    def fail() -> None:
        with output.opened(str(tmp_path / "web.tar")) as file:
            file.write(b"half")
            raise fault

    with pytest.raises(fault):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it points to is replaced."""
    link, path = tmp_path / "link", tmp_path / "web.tar"
    link.symlink_to(path)
    with output.opened(str(link)) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    """Who runs as root would lose /dev/null otherwise."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with output.opened(str(pipe)) as file:
        file.write(b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("path", [".", "missing/web.tar"])
def test_a_place_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """In one line, with the path."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputRefused, match="cannot be written to"), output.opened(path):
        pass


def test_a_terminal_gets_no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would show it."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(OutputRefused, match="--file"), output.opened(None):
        pass


def test_standard_output_gets_the_bytes(capfdbinary: Any) -> None:
    """For a pipe into docker load."""
    with output.opened(None) as file:
        file.write(b"archive")
        file.flush()
    assert capfdbinary.readouterr().out == b"archive"
