# SPDX-License-Identifier: Apache-2.0
"""Prose of the product in figures."""

import pytest

from tests.support.imports import DRIVER, PRODUCT, ROOT
from tests.support.prose import figures

MOST_PRONOUNS, MOST_WEAK_ARGUMENTS, FEWEST_COMMENTS = 0.06, 0.10, 0.03
PRODUCT_FOLDERS = sorted(
    path.name for path in (ROOT / PRODUCT).iterdir() if (path / "__init__.py").exists()
)


@pytest.mark.parametrize("folder", PRODUCT_FOLDERS)
def test_summaries_name_their_object(folder: str) -> None:
    """Few words of summaries are pronouns, and none of them comes first."""
    found = figures(ROOT / PRODUCT / folder)
    assert found.pronoun_share <= MOST_PRONOUNS
    assert found.weak_summaries == []


@pytest.mark.parametrize("folder", PRODUCT_FOLDERS)
def test_argument_lines_say_kind_and_purpose(folder: str) -> None:
    """Few lines begin with of, its, what, whose or whether."""
    assert figures(ROOT / PRODUCT / folder).weak_argument_share <= MOST_WEAK_ARGUMENTS


def test_comments_tell_reasons() -> None:
    """The driver has about one comment in thirty lines of code."""
    driver = figures(ROOT / DRIVER.replace(".", "/"))
    assert driver.comment_share >= FEWEST_COMMENTS
