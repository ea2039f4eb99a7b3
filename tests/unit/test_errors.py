# SPDX-License-Identifier: Apache-2.0
import inspect
import string

import pytest

from novadocker import errors

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.DockerDriverError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_message_holds_every_value(kind: type[errors.DockerDriverError]) -> None:
    """What an error is given by keyword can be read in what it says."""
    fields = [field for _, field, _, _ in string.Formatter().parse(kind.message) if field]
    values = {field: f"<{field}>" for field in fields}
    error = kind(**values)
    assert all(value in str(error) for value in values.values())
    assert error.values == values


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_in_the_docstring_is_whole(kind: type[errors.DockerDriverError]) -> None:
    """Whoever handles errors sees all of them in one place."""
    assert kind.__name__ in str(errors.__doc__)


def test_an_error_without_its_values_is_a_programming_error() -> None:
    """It shows at once, not as a message with holes."""
    with pytest.raises(KeyError):
        errors.ContainerNotFound()
