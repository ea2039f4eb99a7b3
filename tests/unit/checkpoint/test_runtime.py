# SPDX-License-Identifier: Apache-2.0
"""Programs below the engine: the runtime and its questions."""

import os
import subprocess
from pathlib import Path

from novadocker.checkpoint import ask, places, runtime

CREATE = ["--bundle", "/b", "--console-socket", "/s", "--pid-file", "/p", "--no-new-keyring"]


def test_a_restore_takes_the_options_that_it_knows() -> None:
    """Bundle, terminal and file of the process id are the shim's."""
    assert runtime.kept_options(CREATE) == {
        "--bundle": "/b",
        "--console-socket": "/s",
        "--pid-file": "/p",
    }


def test_a_restore_asks_the_driver_by_a_hook_and_a_script(tmp_path: Path) -> None:
    """Hooks and annotations of the engine stay."""
    spec = {"hooks": {"prestart": [1]}, "annotations": {"a": "b"}, "process": {}}
    made = runtime.with_gates(spec, tmp_path)
    assert made["hooks"]["prestart"] == [1]
    assert made["hooks"]["createRuntime"][0]["args"][-2:] == [str(tmp_path), "wire"]
    assert made["annotations"] == {"a": "b", "org.criu.config": str(tmp_path / "criu.conf")}
    assert made["process"] == {}
    assert spec["annotations"] == {"a": "b"}


def test_programs_that_import_nothing_use_the_same_names() -> None:
    """They are run without the package, and repeat what they need of it."""
    assert (ask.SOCKET, ask.GO) == (places.SOCKET, places.GO)
    assert f"waiting={places.WAITING}/$container" in places.RUNTIME_PROGRAM.read_text()
    assert os.access(places.RUNTIME_PROGRAM, os.X_OK)


def test_a_driver_that_is_away_is_an_answer(tmp_path: Path) -> None:
    """No connection means no."""
    assert ask._answer(tmp_path, {"word": "wire", "pid": 1}) == ""


def test_the_runtime_is_runc_where_nothing_waits(tmp_path: Path) -> None:
    """Words and exit code pass through."""
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    runc.chmod(0o755)
    done = subprocess.run(
        (places.RUNTIME_PROGRAM, "--root", "/r", "create", "--bundle", "/b c", "id1"),
        check=False,
        env={"PATH": f"{tmp_path}:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (3, "--root /r create --bundle /b c id1\n")
