# SPDX-License-Identifier: Apache-2.0
"""Page of the first hour: its form, and the lines that need no cloud."""

import shlex
from pathlib import Path

import pytest

from tests.support import first_hour
from tests.support.openstack_client import openstack

PAGE = (Path(__file__).parents[3] / "docs/first-hour.md").read_text()
BEFORE = first_hour.rows(PAGE, "Mistakes told before the upload")


@pytest.mark.parametrize("row", BEFORE, ids=lambda row: row.command.split()[-1])
def test_a_mistake_is_told_before_the_upload(
    row: first_hour.Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails with the words of the page, which name the way out."""
    first_hour.write_mistakes(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = openstack(*shlex.split(row.command)[1:])
    assert done.code == 1
    assert [text for text in row.seen if text not in done.errors] == []
    assert done.errors.count("\n") == 1


def test_every_line_of_a_table_is_a_row() -> None:
    """No row is passed over because of its form."""
    tables = [line for line in PAGE.splitlines() if line.startswith("|") and "`" in line]
    headings = [line[3:] for line in PAGE.splitlines() if line.startswith("## ")]
    read = [row for heading in headings for row in first_hour.rows(PAGE, heading)]
    assert len(read) == len(tables)
    assert all(row.command for row in read)
