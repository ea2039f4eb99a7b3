# SPDX-License-Identifier: Apache-2.0
"""Floors of our dependencies, against the releases that a wheel of ours goes beside."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "constraints").glob("*.txt"))
# Keystone's fork of passlib, which distributions and older releases have under the old name.
ELSEWHERE = {"libpass": "passlib"}


def plain(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions(lock: Path) -> dict[str, str]:
    """Return versions by name."""
    found = (line.partition("==") for line in lock.read_text().splitlines() if line[:1] != "#")
    return {plain(name): version for name, _, version in found if version}


def floors() -> list[Requirement]:
    """Return what the wheel asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(each) for each in project["dependencies"]]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
@pytest.mark.parametrize("floor", floors(), ids=str)
def test_a_release_has_what_the_wheel_asks_for(lock: Path, floor: Requirement) -> None:
    """No floor is above a supported release's version."""
    there = versions(lock)
    if floor.name in ELSEWHERE and floor.name not in there:
        pytest.skip(f"{floor.name} is {ELSEWHERE[floor.name]} there")
    assert floor.specifier.contains(there[plain(floor.name)])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_each_line_of_a_lock_is_one_version(lock: Path) -> None:
    """No range, no address, nothing twice."""
    lines = [line for line in lock.read_text().splitlines() if line[:1] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!-]+", line)] == []
    assert len(versions(lock)) == len(lines)
