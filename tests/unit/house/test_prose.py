# SPDX-License-Identifier: Apache-2.0
"""Prose of each top package; ``python -m tests.support.house.prose FOLDER`` names the lines."""

import pytest

from tests.support.house.imports import DRIVER, PRODUCT, ROOT
from tests.support.house.prose import Figures, figures

PACKAGES = sorted(path.parent.name for path in (ROOT / PRODUCT).glob("*/__init__.py"))
MOST_PRONOUNS, MOST_WEAK_ARGUMENTS, FEWEST_COMMENTS = 0.06, 0.10, 0.03


@pytest.fixture(scope="module", params=PACKAGES)
def package(request: pytest.FixtureRequest) -> Figures:
    """Figures of a top package."""
    return figures(ROOT / PRODUCT / str(request.param))


def test_summaries_name_their_object(package: Figures) -> None:
    """Few words of a package's summaries are pronouns, and no summary begins with a pronoun."""
    assert package.pronoun_share <= MOST_PRONOUNS
    assert package.weak_summaries == []


def test_argument_lines_say_kind_and_purpose(package: Figures) -> None:
    """Few argument lines of a package begin with of, its, what, whose or whether."""
    assert package.weak_argument_share <= MOST_WEAK_ARGUMENTS


def test_comments_tell_reasons() -> None:
    """The driver has about one comment in thirty lines of code."""
    driver = figures(ROOT / DRIVER.replace(".", "/"))
    assert driver.comment_share >= FEWEST_COMMENTS
