# SPDX-License-Identifier: Apache-2.0
"""File format of OpenStack, MariaDB and supervisord."""

from collections.abc import Mapping

Section = Mapping[str, str | int | bool | object]
Sections = Mapping[str, Section]


def render(sections: Sections) -> str:
    """Return the file's text; booleans in lower case, as oslo.config documents."""
    return "\n".join(_section(name, options) for name, options in sections.items())


def _section(name: str, options: Section) -> str:
    lines = [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in options.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
