# SPDX-License-Identifier: Apache-2.0
import inspect
import string

import pytest

from novadocker.client import errors

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.ClientError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_message_is_one_line_with_every_value(kind: type[errors.ClientError]) -> None:
    """Even where a server answers in several."""
    fields = [field for _, field, _, _ in string.Formatter().parse(kind.message) if field]
    error = kind(**{field: f"<{field}\n\n>" for field in fields})
    assert all(f"<{field}" in str(error) for field in fields)
    assert "\n" not in str(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_in_the_docstring_is_whole(kind: type[errors.ClientError]) -> None:
    """Whoever handles errors sees all of them in one place."""
    assert kind.__name__ in str(errors.__doc__)
