# SPDX-License-Identifier: Apache-2.0
"""Table of Nova's driver interface, compared with the release of Nova that is installed."""

import inspect
from collections import Counter

import pytest
from nova.virt.driver import ComputeDriver

from novadocker.virt.docker.translation import nova_hands_over
from novadocker.virt.hybrid.table import ROWS, Row

PUBLIC = {
    name
    for name, member in inspect.getmembers(ComputeDriver)
    if callable(member) and not name.startswith("_")
}


@pytest.mark.skipif(not nova_hands_over(), reason="the hybrid driver needs Nova 34")
def test_each_public_method_stands_in_one_row() -> None:
    """A method that Nova adds, renames or removes changes the count of a row."""
    counted = Counter(name for names in ROWS.values() for name in names)
    assert set(counted) == PUBLIC
    assert [name for name, count in counted.items() if count > 1] == []


def test_each_row_has_methods() -> None:
    """The table names every kind of row."""
    assert all(ROWS[row] for row in Row)


def test_rows_by_instance_name_methods_that_take_an_instance() -> None:
    """The dispatch finds the argument by its name in Nova's signature."""
    for row in (Row.BY_INSTANCE, Row.BY_IMAGE, Row.REMOVAL):
        for name in ROWS[row]:
            assert "instance" in inspect.signature(getattr(ComputeDriver, name)).parameters, name


def test_rows_by_image_name_methods_that_take_an_image() -> None:
    """The dispatch reads the image from Nova's argument ``image_meta``."""
    for name in ROWS[Row.BY_IMAGE]:
        assert "image_meta" in inspect.signature(getattr(ComputeDriver, name)).parameters, name
