# SPDX-License-Identifier: Apache-2.0
"""Sizes of folders."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.imports import PRODUCT, ROOT

MOST_FILES = 20


def _sources() -> Iterator[tuple[Path, str]]:
    for folder in (PRODUCT, "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text()


def test_no_folder_of_the_product_has_many_files() -> None:
    """A listing is read at one glance."""
    files = Counter(path.parent for path, _ in _sources() if path.parts[0] == PRODUCT)
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}
