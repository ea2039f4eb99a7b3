# SPDX-License-Identifier: Apache-2.0
"""Flavor extra specs ``docker:*`` in nova-api (``nova.api.extra_spec_validators``).

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
    """Validator of one extra spec.

    Args:
        name: full name; "{name}" in it stands for a part described by ``parameters``.
        description: effect, for the operator.
        read: parser of full name and value, which raises PolicyRefused.
        parameters: variable parts of the name, in Nova's form.
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
        """Validate the value of an extra spec.

        Args:
            name: full name.
            value: value in the request.

        Raises:
            nova.exception.ValidationError: the value is refused; the message names accepted ones.
        """
        try:
            self._read(name, str(value))
        except PolicyRefused as error:
            raise exception.ValidationError(f"Validation failed; {error}") from error


def register() -> list[base.ExtraSpecValidator]:
    """Return the validators of all extra specs ``docker:*``, for the start of nova-api."""
    return [
        *(
            Validator(each.extra_spec, each.description, _reader(each))
            for each in extra_specs.EXTRA_SPECS
        ),
        Validator(
            f"{extra_specs.SYSCTL}{{name}}",
            extra_specs.SYSCTL_DESCRIPTION,
            extra_specs.sysctl,
            # Any name: Nova would refuse others as unknown, without the reason that we give.
            [{"name": "name", "pattern": ".*", "description": "of the parameter, with dots"}],
        ),
    ]


def _reader(extra_spec: extra_specs.ExtraSpec[object]) -> Callable[[str, str], object]:
    return lambda name, value: extra_spec.of_flavor({name: value})
