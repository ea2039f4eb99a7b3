# SPDX-License-Identifier: Apache-2.0
"""Every page that the menu leads to is shown, with whatever is on it."""

from collections.abc import Callable

import pytest

from tests.support.dashboard_pages import Browser


@pytest.mark.parametrize(("name", "least"), [("demo", 20), ("admin", 30)])
def test_no_page_of_the_menu_fails(
    visitor: Callable[[str], Browser], standing: str, name: str, least: int
) -> None:
    """None says that something went wrong, while there is a server and its image."""
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
