# SPDX-License-Identifier: Apache-2.0
"""Every page of the menu is shown, with any content."""

from collections.abc import Callable

import pytest

from tests.support.dashboard_pages import Browser


@pytest.mark.parametrize(("name", "least"), [("demo", 20), ("admin", 30)])
def test_no_page_of_the_menu_fails(
    visitor: Callable[[str], Browser], standing: str, name: str, least: int
) -> None:
    """No page tells of an error, with a server and an image there."""
    person = visitor(name)
    pages = person.menu
    assert len(pages) >= least
    failing = {}
    for each in pages:
        person.open(each)
        person.wait(lambda: person.is_quiet, f"{each} to be quiet")
        if "Error:" in person.text or "omething went wrong" in person.text:
            failing[each] = person.text
    assert not failing
