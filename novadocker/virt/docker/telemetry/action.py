# SPDX-License-Identifier: Apache-2.0
"""Actions on servers, timed: as figures, and as a line in the log with the parts of each."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from oslo_log import log as logging

from novadocker.virt.docker.telemetry import figures

LOG = logging.getLogger(__name__)


@dataclass
class Action:
    """Action under way on a server, in one thread.

    Attributes:
        name: word for the action, such as "stop".
        parts: seconds by part, in the order of the parts' first ends.
    """

    name: str
    parts: dict[str, float] = field(default_factory=dict)


_CURRENT: ContextVar[Action | None] = ContextVar("action", default=None)


def note_part(part: str, seconds: float) -> None:
    """Add to the time of a part of this thread's action; without an action do nothing."""
    if action := _CURRENT.get():
        action.parts[part] = action.parts.get(part, 0.0) + seconds


@contextmanager
def timed(name: str, server: str) -> Iterator[None]:
    """Time an action; within another action of this thread do nothing.

    Args:
        name: word for the action.
        server: id of the instance.
    """
    if _CURRENT.get():
        yield
        return
    action, began = Action(name), time.monotonic()
    # Of the thread, not of the driver: a stopwatch deep in the work finds the action unasked.
    token = _CURRENT.set(action)
    try:
        yield
    except BaseException as error:
        seconds = time.monotonic() - began
        figures.FAULTS.labels(name, _kind(error)).inc()
        figures.ACTIONS.labels(name, "failed").observe(seconds)
        told = (name.capitalize(), server, seconds, _kind(error))
        LOG.info("%s of nova-%s failed after %.4f s: %s", *told)
        raise
    finally:
        _CURRENT.reset(token)
    _tell(action, server, time.monotonic() - began)


def all_timed(names: Mapping[str, str]) -> Callable[[type], type]:
    """Return a decorator of drivers that times calls of Nova's.

    Args:
        names: words for the actions, by the driver's method.
    """

    def decorate(driver: type) -> type:
        for method, name in names.items():
            setattr(driver, method, _timed_call(name, getattr(driver, method)))
        return driver

    return decorate


def _timed_call(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(driver: Any, *arguments: Any, **named: Any) -> Any:
        with timed(name, _server(*arguments, *named.values())):
            return method(driver, *arguments, **named)

    return call


def _server(*arguments: Any) -> str:
    # Nova gives the instance by position or by name, after the context or first.
    found = (each.uuid for each in arguments if hasattr(each, "vm_state") and hasattr(each, "uuid"))
    return str(next(found, "an unknown server"))


def _tell(action: Action, server: str, seconds: float) -> None:
    figures.ACTIONS.labels(action.name, "done").observe(seconds)
    for part, spent in action.parts.items():
        figures.PARTS.labels(action.name, part).observe(spent)
    rest = seconds - sum(action.parts.values())
    parts = "".join(f"{part}={spent:.4f} " for part, spent in action.parts.items())
    told = (action.name.capitalize(), server, parts, rest)
    LOG.info("%s of nova-%s took, in seconds: %srest=%.4f", *told)


def _kind(error: BaseException) -> str:
    # The driver's own error is the cause of the one that Nova understands.
    return type(error.__cause__ or error).__name__
