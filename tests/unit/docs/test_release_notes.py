# SPDX-License-Identifier: Apache-2.0
"""Release notes as reno reads them."""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "releasenotes"
NOTES = sorted((FOLDER / "notes").iterdir())
# Of reno: a section by another name is an error of the report.
SECTIONS = {
    "features",
    "issues",
    "upgrade",
    "deprecations",
    "critical",
    "security",
    "fixes",
    "other",
}


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem)
def test_a_note_has_the_form_that_reno_reads(note: Path) -> None:
    """Sections hold lists of texts, and the name ends with sixteen digits that tell notes apart."""
    assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{16}\.yaml", note.name)
    content = yaml.safe_load(note.read_text())
    assert isinstance(content.pop("prelude", ""), str)
    assert content.keys() <= SECTIONS
    assert all(isinstance(text, str) for texts in content.values() for text in texts)


def test_only_one_note_introduces_a_release() -> None:
    """Of two preludes reno would make one text without an order."""
    preludes = [note for note in NOTES if "prelude" in yaml.safe_load(note.read_text())]
    assert len(preludes) == 1
