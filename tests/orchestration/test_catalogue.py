# SPDX-License-Identifier: Apache-2.0
"""The catalogue of applications: every entry is sound, and a saved image makes one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cloud_stacks import EXAMPLES, Stacks, template

CATALOGUE = EXAMPLES / "catalogue"
ENTRIES = sorted(path.parent.name for path in CATALOGUE.glob("*/template.yaml"))


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_is_sound(stacks: Stacks, name: str) -> None:
    """Heat accepts an entry's template; every parameter has a description, every entry an icon."""
    found = stacks.heat.stacks.validate(**template(CATALOGUE / name / "template.yaml"))
    assert found["Description"]
    assert all(each["Description"] for each in found["Parameters"].values())
    assert {"flavor", "network"} <= found["Parameters"].keys()
    assert (CATALOGUE / name / "icon.svg").read_text().startswith("<svg ")


def test_an_entry_is_made_of_a_saved_image(
    stacks: Stacks, web_archive: Path, tmp_path: Path
) -> None:
    """The tool writes a template accepted by Heat, with a picture."""
    command = [sys.executable, CATALOGUE / "add", "--into", tmp_path, "hello", web_archive]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert f"--file {web_archive} catalogue-hello" in made.stdout
    found = stacks.heat.stacks.validate(**template(tmp_path / "hello/template.yaml"))
    assert found["Parameters"]["image"]["Default"] == "catalogue-hello"
    assert (tmp_path / "hello/icon.svg").exists()


def test_what_is_no_saved_image_makes_no_entry(tmp_path: Path) -> None:
    """The tool says why, and leaves nothing."""
    (tmp_path / "thesis.tex").write_text("mine")
    command = [sys.executable, CATALOGUE / "add", "--into", tmp_path, "x", tmp_path / "thesis.tex"]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    assert made.returncode == 1
    assert "thesis.tex" in made.stderr
    assert not (tmp_path / "x").exists()
