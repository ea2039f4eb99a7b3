# SPDX-License-Identifier: Apache-2.0
"""Start of a service: until an answer, an end, or the end of patience."""

import threading
import time

import psutil

from novadocker.cloud.errors import Aborted, CommandFailed, ServiceFailed
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.supervision import supervisor
from novadocker.cloud.supervision.service import Service

_BOUND_SECONDS = 120
_PAUSE_SECONDS = 0.4
_LAST_LINES = 20
# Erlang writes whole crash reports into one line.
_LINE_LENGTH = 400


def start(layout: Layout, service: Service, abort: threading.Event) -> None:
    """Start a service unless it runs, and wait for readiness.

    Args:
        layout: the cloud's places.
        service: the service.
        abort: set when waiting has become pointless.
    """
    try:
        pid = supervisor.start(layout, service.name)
    except CommandFailed as error:
        raise failed(layout, service.name, f"cannot be started ({error})") from error
    deadline = time.monotonic() + _BOUND_SECONDS
    while not abort.is_set():
        # The supervisor would try again; but a service that ends now is not well.
        if not _alive(pid):
            raise failed(layout, service.name, "ended")
        reason = _why_not_ready(service)
        if reason is None:
            return
        if time.monotonic() > deadline:
            raise failed(layout, service.name, f"is not ready in {_BOUND_SECONDS} s ({reason})")
        abort.wait(_PAUSE_SECONDS)
    raise Aborted(name=service.name)


def _alive(pid: int) -> bool:
    # Asked of the kernel: asking the supervisor costs it as much as a service's start.
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def failed(layout: Layout, name: str, reason: str) -> ServiceFailed:
    """Return an error with a service's name and the end of the log."""
    log = layout.log_of(name)
    return ServiceFailed(name=name, reason=reason, log=log, tail=tail(layout, name, _LAST_LINES))


def tail(layout: Layout, name: str, lines: int) -> str:
    """Return the last lines of a service's log."""
    log = layout.log_of(name)
    if not log.exists():
        return "(it has written none)"
    text = log.read_text(errors="replace")
    return "\n".join(line[:_LINE_LENGTH] for line in text.splitlines()[-lines:])


def _why_not_ready(service: Service) -> Exception | None:
    try:
        service.ready()
    except Exception as error:  # noqa: BLE001 (every client library fails in its own way)
        return error
    return None
