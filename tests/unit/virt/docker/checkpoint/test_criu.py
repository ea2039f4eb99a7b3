# SPDX-License-Identifier: Apache-2.0
"""CRIU on the host: its version, and the reasons in its logs."""

from pathlib import Path

import pytest

from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import criu


def program(directory: Path, version: str, name: str = "criu") -> str:
    """Make a program that tells a version, and return its path."""
    made = directory / name
    made.write_text(f"#!/bin/sh\necho 'Version: {version}'\n")
    made.chmod(0o755)
    return str(made)


@pytest.mark.parametrize("version", ["4.2", "4.2.1", "5.0"])
def test_a_new_criu_is_found(tmp_path: Path, version: str) -> None:
    """Its absolute path is returned."""
    made = program(tmp_path, version)
    assert criu.find(made) == made


@pytest.mark.parametrize("version", ["3.17.1", "4.1.1", "unknown"])
def test_an_old_criu_is_refused(tmp_path: Path, version: str) -> None:
    """Older ones cannot read sockets of new kernels."""
    with pytest.raises(CheckpointError, match=r"older than CRIU 4\.2"):
        criu.find(program(tmp_path, version))


def test_a_criu_by_another_name_is_refused(tmp_path: Path) -> None:
    """The runtime knows it by its name alone."""
    with pytest.raises(CheckpointError, match="names no program called criu"):
        criu.find(program(tmp_path, "4.2", "criu-4.2"))


def test_the_first_fault_of_a_log_is_the_reason() -> None:
    """Faults that follow from it, and noise, are passed over."""
    log = (
        "(00.1) Error (criu/rlimit.c:36): rlimit: Can't setup RLIMIT_NOFILE for self: no\n"
        "(00.2) Warn  (criu/net.c:1): nothing\n"
        "(00.3) Error (criu/sk-inet.c:191): inet: Unsupported proto 262 of socket\n"
        "(00.4) Error (criu/cr-dump.c:1): Dumping FAILED.\n"
    )
    assert criu.reason(log) == "inet: Unsupported proto 262 of socket"
    assert criu.reason("") == ""
