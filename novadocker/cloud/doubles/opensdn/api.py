# SPDX-License-Identifier: Apache-2.0
"""The agent double's HTTP side, with the agent's own paths, answers and status lines.

Source followed: OpenSDN's controller, ``src/vnsw/agent/port_ipc/rest_server.cc``.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from novadocker.cloud.doubles.opensdn.agent import Agent
from novadocker.cloud.doubles.opensdn.port import Refused

LOG = logging.getLogger(__name__)
_UUID = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


class Request(BaseHTTPRequestHandler):
    """Request to an agent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """Log by the standard library's logging."""
        LOG.debug(format, *args)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode(errors="replace")
        path = self.path.partition("?")[0]
        self.server.calls.append(f"{self.command} {path}")
        for method, pattern, handle in _HANDLERS:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                self._send(*handle(self.server.agent, body, *found.groups()))
                return
        self._send(HTTPStatus.NOT_FOUND, _error("Unknown Request"))

    def _send(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status, "OK")  # whatever the status: as the agent does it
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Listens for an agent.

    Args:
        address: host and port; port 0 for any.
        agent: is asked.

    Attributes:
        agent: is asked.
        calls: methods and paths so far, in order.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], agent: Agent) -> None:
        self.agent = agent
        self.calls: list[str] = []
        super().__init__(address, Request)

    @property
    def url(self) -> str:
        """Address and port of the listener."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


@contextmanager
def serving(agent: Agent, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[Server]:
    """Load an agent's files, and listen in a thread until the context is left."""
    agent.start()
    with Server(address, agent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            agent.stop()


def _error(words: str) -> str:
    return json.dumps({"error": words}, separators=(",", ":"))


def _attempt(call: Callable[[], None], frame: str = "{{ {} }}") -> tuple[int, str]:
    try:
        call()
    except Refused as refused:
        return HTTPStatus.INTERNAL_SERVER_ERROR, _error(frame.format(refused))
    return HTTPStatus.OK, "{}"


def _post(agent: Agent, body: str) -> tuple[int, str]:
    return _attempt(lambda: agent.add(body))


def _get(agent: Agent, _: str, uuid: str) -> tuple[int, str]:
    shown = agent.shown(uuid)
    if shown is None:
        return HTTPStatus.NOT_FOUND, _error("{ Not Found }")
    return HTTPStatus.OK, json.dumps(shown, indent=4)


def _unsupported(*_: Any) -> tuple[int, str]:
    return HTTPStatus.INTERNAL_SERVER_ERROR, _error("{ Operation Not Supported }")


_HANDLERS: list[tuple[str, str, Callable[..., tuple[int, str]]]] = [
    ("POST", "/port", _post),
    ("POST", "/syncports", lambda agent, _: _attempt(agent.sync)),
    ("DELETE", f"/port/{_UUID}", lambda agent, _, uuid: _attempt(lambda: agent.delete(uuid))),
    ("GET", f"/port/{_UUID}", _get),
    (
        "PUT",
        f"/enable-port/{_UUID}",
        lambda agent, _, uuid: _attempt(lambda: agent.enable(uuid, enabled=True), "{{{}}}"),
    ),
    (
        "PUT",
        f"/disable-port/{_UUID}",
        lambda agent, _, uuid: _attempt(lambda: agent.enable(uuid, enabled=False), "{{{}}}"),
    ),
    ("POST", "/gateway", _unsupported),
    ("DELETE", "/gateway", _unsupported),
    ("POST", "/vm", _unsupported),
    ("DELETE", f"/vm/{_UUID}", _unsupported),
    ("GET", f"/vm/{_UUID}(?:/{_UUID})?", _unsupported),
    ("GET", "/vm-cfg/(.*)", _unsupported),
]
