# SPDX-License-Identifier: Apache-2.0
"""Prose of the product in figures; ``python -m tests.support.prose FOLDER`` names the lines."""

import pytest

from tests.support.imports import DRIVER, PRODUCT, ROOT
from tests.support.prose import Figures, figures

MOST_PRONOUNS, MOST_WEAK_ARGUMENTS, FEWEST_COMMENTS = 0.06, 0.10, 0.03


@pytest.fixture(scope="module")
def product() -> Figures:
    """Figures of all packages."""
    return figures(ROOT / PRODUCT)


def test_summaries_name_their_object(product: Figures) -> None:
    """Few words of summaries are pronouns, and no summary begins with one."""
    assert product.pronoun_share <= MOST_PRONOUNS
    assert product.weak_summaries == []


def test_argument_lines_say_kind_and_purpose(product: Figures) -> None:
    """Few lines begin with of, its, what, whose or whether."""
    assert product.weak_argument_share <= MOST_WEAK_ARGUMENTS


def test_comments_tell_reasons() -> None:
    """The driver has about one comment in thirty lines of code."""
    driver = figures(ROOT / DRIVER.replace(".", "/"))
    assert driver.comment_share >= FEWEST_COMMENTS
