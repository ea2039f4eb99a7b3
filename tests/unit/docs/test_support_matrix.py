# SPDX-License-Identifier: Apache-2.0
"""docs/support-matrix.md: as many rows as Nova has, and every proof is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "support-matrix.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and "`" in line
]
NOVAS_ROWS = 59
PROOF = re.compile(r"`(tests/\S+\.py)::(\w+)`")


def test_every_row_of_nova_is_there_once() -> None:
    """By its name in Nova's own matrix."""
    names = {row[1] for row in ROWS}
    assert len(ROWS) == len(names) == NOVAS_ROWS


def test_what_is_complete_names_a_test_that_exists() -> None:
    """A test that was renamed no longer proves anything."""
    for row in ROWS:
        proof = PROOF.search(row[6])
        if "complete" in row[5]:
            assert proof, row
        if proof:
            path, name = proof.groups()
            assert f"def {name}(" in (ROOT / path).read_text(), row


def test_the_count_is_of_the_rows() -> None:
    """What the page says of itself is so."""
    complete = sum("complete" in row[5] for row in ROWS)
    partial = sum(row[5] == "partial" for row in ROWS)
    assert f"{complete} are complete, {partial} partial" in TEXT
