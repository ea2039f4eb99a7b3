# SPDX-License-Identifier: Apache-2.0
"""Methods of the hybrid driver, made of the table's rows."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from nova import exception
from nova.virt.driver import ComputeDriver
from oslo_log import log as logging

from novadocker.virt.hybrid.kind import Finder, Kind, kind_of_image
from novadocker.virt.hybrid.table import ROWS, Row

LOG = logging.getLogger(__name__)

Method = Callable[..., Any]


class Hybrid(Protocol):
    """Parts of the hybrid driver for the generated methods.

    Attributes:
        drivers: Nova's driver of each kind.
        finder: search for the engine that has a server.
    """

    drivers: Mapping[Kind, Any]
    finder: Finder


_Driver = TypeVar("_Driver", bound=type)


def dispatching(cls: _Driver) -> _Driver:
    """Give a driver class every method of the rows that are not written out.

    Args:
        cls: subclass of ComputeDriver with the parts of ``Hybrid``.

    Returns:
        The same class.
    """
    for row, make in _MAKERS.items():
        for name in ROWS[row]:
            declared = getattr(ComputeDriver, name)
            setattr(cls, name, functools.wraps(declared)(make(name, declared)))
    return cls


def _of_host(name: str, _declared: Method) -> Method:
    def method(self: Hybrid, *args: Any, **named: Any) -> Any:
        return getattr(self.drivers[Kind.MACHINE], name)(*args, **named)

    return method


def _by_instance(name: str, declared: Method) -> Method:
    instance_of = _argument("instance", declared)

    def method(self: Hybrid, *args: Any, **named: Any) -> Any:
        instance = instance_of(args, named)
        kind = self.finder.kind_of(instance)
        try:
            return getattr(self.drivers[kind], name)(*args, **named)
        except exception.InstanceNotFound:
            # An operator may have moved the guest by hand since it was found.
            if (found := self.finder.incumbent(instance)) is not kind.other:
                raise
        return getattr(self.drivers[found], name)(*args, **named)

    return method


def _by_image(name: str, declared: Method) -> Method:
    instance_of = _argument("instance", declared)
    image_of = _argument("image_meta", declared)

    def method(self: Hybrid, *args: Any, **named: Any) -> Any:
        instance, kind = instance_of(args, named), kind_of_image(image_of(args, named))
        found = self.finder.incumbent(instance)
        if name == "spawn" and found is kind.other:
            # Left by a crash: two guests of one server would share its ports.
            raise exception.InstanceExists(name=f"{found.value} {instance.uuid}")
        return getattr(self.drivers[found or kind], name)(*args, **named)

    return method


def _removal(name: str, declared: Method) -> Method:
    instance_of = _argument("instance", declared)

    def method(self: Hybrid, *args: Any, **named: Any) -> Any:
        instance = instance_of(args, named)
        kinds = self.finder.kinds_to_remove(instance)
        if len(kinds) > 1:
            LOG.warning("Both engines have server %s; both remove it", instance.uuid)
        with contextlib.ExitStack() as others:
            # Also where the first raises: what is left would keep ports and disk.
            for kind in kinds[1:]:
                others.callback(getattr(self.drivers[kind], name), *args, **named)
            return getattr(self.drivers[kinds[0]], name)(*args, **named)

    return method


_MAKERS: Mapping[Row, Callable[[str, Method], Method]] = {
    Row.HOST: _of_host,
    Row.BY_INSTANCE: _by_instance,
    Row.BY_IMAGE: _by_image,
    Row.REMOVAL: _removal,
}


def _argument(name: str, declared: Method) -> Callable[[Any, Any], Any]:
    # The first parameter is self, which the bound call does not hand over.
    position = list(inspect.signature(declared).parameters).index(name) - 1

    def value(args: Any, named: Any) -> Any:
        return named[name] if name in named else args[position]

    return value
