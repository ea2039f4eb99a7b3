# SPDX-License-Identifier: Apache-2.0
"""Flavor extra specs ``docker:*`` as nova-api knows them (``nova.api.extra_spec_validators``).

Nova refuses a wrong value when the flavor is set, and, since the namespace is known by this, a
name that there is not; both from microversion 2.86 on. What an operator lets flavors grant is in
nova.conf of each compute host: that bound is looked at when a server is built there.
"""

from collections.abc import Callable
from typing import Any

from nova import exception
from nova.api.validation.extra_specs import base

from novadocker.errors import PolicyRefused
from novadocker.policy import extra_specs


class Validator(base.ExtraSpecValidator):
    """One extra spec.

    Args:
        name: of it; "{name}" in it stands for what ``parameters`` say.
        description: for the operator.
        read: takes its whole name and value, and raises PolicyRefused.
        parameters: as Nova has them.
    """

    def __init__(
        self,
        name: str,
        description: str,
        read: Callable[[str, str], object],
        parameters: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(name, description, {"type": str}, parameters=parameters or [])
        self._read = read

    def validate(self, name: str, value: str) -> None:
        """Look at one extra spec.

        Args:
            name: of it.
            value: that it is to have.

        Raises:
            nova.exception.ValidationError: it cannot have it; says what it could.
        """
        try:
            self._read(name, str(value))
        except PolicyRefused as error:
            raise exception.ValidationError(f"Validation failed; {error}") from error


def register() -> list[base.ExtraSpecValidator]:
    """Return all of them, as Nova asks for them.

    Returns:
        The validators.
    """
    return [
        *(Validator(word.extra_spec, word.words, _reader(word)) for word in extra_specs.WORDS),
        Validator(
            f"{extra_specs.SYSCTL}{{name}}",
            extra_specs.SYSCTL_WORDS,
            extra_specs.sysctl,
            # All of it: whatever it is, it is ours to say what is wrong with it.
            [{"name": "name", "pattern": ".*", "description": "of the parameter, with dots"}],
        ),
    ]


def _reader(word: extra_specs.Word[object]) -> Callable[[str, str], object]:
    return lambda name, value: word.of_flavor({name: value})
