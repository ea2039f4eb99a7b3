# SPDX-License-Identifier: Apache-2.0
"""docs/operator.md and docs/tenant.md: every word that can be said, and no other."""

import re
from pathlib import Path

from novadocker.policy.extra_specs import EXTRA_SPECS, SYSCTL
from novadocker.virt.docker.conf.options import OPTIONS

DOCS = Path(__file__).parents[3] / "docs"
OPERATOR = (DOCS / "operator.md").read_text()
TENANT = (DOCS / "tenant.md").read_text()


def first_column(text: str, title: str) -> set[str]:
    """Read the names in the first column of the table with that title."""
    table = text[text.index(f"| {title} |") :].partition("\n\n")[0]
    return {
        name
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }


def test_every_option_is_told() -> None:
    """With its default, in one table."""
    assert first_column(OPERATOR, "option") == {option.name for option in OPTIONS}


def test_every_extra_spec_is_told() -> None:
    """With what bounds it."""
    known = {each.extra_spec for each in EXTRA_SPECS} | {f"{SYSCTL}NAME"}
    assert first_column(OPERATOR, "extra spec") == known


def test_every_property_of_an_image_that_narrows_is_told() -> None:
    """To those who make images."""
    known = {each.image_property for each in EXTRA_SPECS if each.narrows}
    assert first_column(TENANT, "image property") == known
