# SPDX-License-Identifier: Apache-2.0
"""The lock names all that is installed: what it names is what an audit looks at."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Ours, and what makes an environment before there is a lock.
NOT_LOCKED = {"nova-docker", "pip", "setuptools", "wheel"}
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!-]+)")


def plain(name: str) -> str:
    """Return a distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines() -> list[str]:
    """Return the lines of the lock that are no comments."""
    text = (ROOT / "constraints.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked() -> dict[str, str]:
    """Return versions by name."""
    return {plain(name): version for name, _, version in (each.partition("==") for each in lines())}


def asked() -> set[str]:
    """Return what pyproject.toml asks for, in all of its groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = (re.match(r"[A-Za-z0-9._-]+", each) for group in groups for each in group)
    return {plain(name[0]) for name in names if name}


def test_each_line_is_one_version_of_one_distribution() -> None:
    """No range, no address, nothing twice."""
    assert [line for line in lines() if not PIN.fullmatch(line)] == []
    assert len(locked()) == len(lines())


def test_what_is_asked_for_is_locked() -> None:
    """By every group."""
    assert asked() - locked().keys() == set()


def test_what_is_installed_is_locked() -> None:
    """At that version: nothing comes in that an audit of the lock does not see."""
    installed = {
        plain(each.metadata["Name"]): each.version for each in importlib.metadata.distributions()
    }
    odd = {
        name: version
        for name, version in installed.items()
        if name not in NOT_LOCKED and locked().get(name) != version
    }
    assert odd == {}
