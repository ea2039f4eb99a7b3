# SPDX-License-Identifier: Apache-2.0
"""Strict JSON, which leaves no two readers two understandings.

The engine is written in Go, whose JSON reader takes ``RootFS`` for ``rootfs``, the last of
two equal keys, and half a surrogate pair for another character. What such a reader could see
otherwise than we do is refused, for it is we who check and the engine that believes.
"""

import json
from typing import Any, NoReturn, TypeVar

from novadocker.archive.fault import Fault, quoted

_T = TypeVar("_T")

# Python keeps 60 bytes and more for each value of a document, which may have two.
MOST_VALUES = 200_000


class Document:
    """JSON object with access by the field names of a format.

    Args:
        value: parsed object.
        where: name of the document for messages.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Fault(f"{where} is {_type(value)}, not an object")
        self.where = where
        self._fields: dict[str, Any] = value
        self._folded = _folded(value, where)

    def text(self, name: str) -> str:
        """Return a field that must be a string."""
        return self._typed(name, str, "a string")

    def number(self, name: str) -> int:
        """Return a field that must be a whole number, not negative."""
        value = self._typed(name, int, "a number")
        if isinstance(value, bool) or value < 0:
            raise Fault(f"{self.where} has {_type(value)} as {name!r}, not a size")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a field as a list of strings; null is an empty list."""
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise Fault(f"{self.where} has something else than strings in {name!r}")
        return values

    def objects(self, name: str) -> "list[Document]":
        """Return a field that must be a list of objects."""
        return [Document(value, f"{self.where}, {name}") for value in self._list(name)]

    def values(self, name: str) -> list[Any]:
        """Return a field as a list of any values; null is an empty list."""
        return self._list(name)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a field as an object with free names."""
        return self._typed(name, dict, "an object")

    def object(self, name: str) -> "Document":
        """Return a field that must be an object."""
        return Document(self._value(name), f"{self.where}, {name}")

    def has(self, name: str) -> bool:
        """Say whether a field is there and not null."""
        return self._value(name) is not None

    def is_filled(self, name: str) -> bool:
        """Say whether a field is there and not empty."""
        return bool(self._value(name))

    def is_text(self, name: str) -> bool:
        """Say whether a field is a string."""
        return isinstance(self._value(name), str)

    def _value(self, name: str) -> Any:
        if name not in self._fields and name.casefold() in self._folded:
            other = self._folded[name.casefold()]
            raise Fault(f"{self.where} has {quoted(other)}, which some take for {name!r}")
        return self._fields.get(name)

    def _list(self, name: str) -> list[Any]:
        return self._typed(name, list, "a list") if self.has(name) else []

    def _typed(self, name: str, kind: type[_T], noun: str) -> _T:
        value = self._value(name)
        if not isinstance(value, kind):
            raise Fault(f"{self.where} has {_type(value)} as {name!r}, not {noun}")
        return value


def values_in(content: bytes) -> int:
    """Return an upper bound of how many values a document holds, before it is read.

    Args:
        content: the whole of it.
    """
    return sum(content.count(mark) for mark in (b",", b"[", b"{")) + 1


def parse(content: bytes, where: str, depth: int) -> Any:
    """Read JSON, or refuse it.

    Args:
        content: the whole of it.
        where: name of the document for messages.
        depth: levels of nesting accepted.

    Returns:
        What it says.
    """
    if values_in(content) > MOST_VALUES:
        raise Fault(f"{where} has more than {MOST_VALUES} values")
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise Fault(f"{where} is nested more than {depth} deep") from error
    except ValueError as error:
        raise Fault(f"{where} is not sound JSON ({quoted(str(error))})") from error
    _refuse_depth(value, where, depth)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("one key comes twice in an object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse_depth(value: Any, where: str, depth: int) -> None:
    level = [value]
    for _ in range(depth):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise Fault(f"{where} is nested more than {depth} deep")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _folded(fields: dict[str, Any], where: str) -> dict[str, str]:
    """Map names in lower case to the names as written; two equal names are refused."""
    folded: dict[str, str] = {}
    for name in fields:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise Fault(f"{where} has both {quoted(other)} and {quoted(name)}")
    return folded


def _type(value: Any) -> str:
    names = {type(None): "nothing", dict: "an object", list: "a list", str: "a string"}
    return names.get(type(value), "a number or truth value")
