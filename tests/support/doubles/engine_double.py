# SPDX-License-Identifier: Apache-2.0
"""Double of a Docker Engine's API on a Unix socket: recorded answers, faults, and silence.

For engines that cannot be had as a package, above all Docker 29: API 1.57, nothing below 1.44,
members left out, images kept by containerd.
"""

import contextlib
import http.server
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCKER_29: dict[str, Any] = {
    "ApiVersion": "1.57",
    "MinAPIVersion": "1.44",
    "Components": [
        {"Name": "Engine", "Version": "29.5.1"},
        {"Name": "containerd", "Version": "2.2.0"},
        {"Name": "runc", "Version": "1.3.6"},
    ],
}
DOCKER_20: dict[str, Any] = {
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.12",
    "Components": [{"Name": "Engine", "Version": "20.10.24"}],
}
# As 29 tells of itself with its default store; members of older engines are left out.
INFO_29: dict[str, Any] = {
    "NCPU": 2,
    "MemTotal": 2**31,
    "Architecture": "x86_64",
    "KernelVersion": "6.12",
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "DockerRootDir": "/var/lib/docker/100000.100000",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=userns", "name=cgroupns"],
    "LiveRestoreEnabled": True,
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
}
# From 1.52 on an inspect tells of no GraphDriver where containerd keeps the files, and an
# image's Config has no members but those that the image sets.
CONTAINER_29: dict[str, Any] = {
    "Id": "f" * 64,
    "Name": "/nova-1",
    "Image": "sha256:" + "a" * 64,
    "Config": {"Labels": {"novadocker.instance": "1"}},
    "HostConfig": {"NetworkMode": "none", "Memory": 2**25, "NanoCpus": 10**9, "PidsLimit": 64},
    "State": {
        "Status": "running",
        "Pid": 42,
        "ExitCode": 0,
        "OOMKilled": False,
        "Error": "",
        "FinishedAt": "0001-01-01T00:00:00Z",
    },
    "ExecIDs": None,
}
IMAGE_29: dict[str, Any] = {
    "Id": "sha256:" + "b" * 64,
    "RepoTags": ["nova/x:y"],
    "Size": 9,
    "Config": {"Cmd": ["/bin/sh"]},
    "RootFS": {"Type": "layers", "Layers": ["sha256:" + "c" * 64]},
}


@dataclass
class EngineDouble:
    """Engine with answers of a test's own.

    Attributes:
        version: answer to ``GET /version``.
        answers: answers by "METHOD /path" without the version: a JSON value, a number for an
            empty answer with that status, or a pair of status and JSON value.
        during: called by "METHOD /path" before the answer.
        requests: "METHOD /vX.YZ/path" of every request, in order.
    """

    version: dict[str, Any] = field(default_factory=lambda: dict(DOCKER_20))
    answers: dict[str, Any] = field(default_factory=dict)
    during: dict[str, Callable[[], object]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Serve, and yield the address."""
        with tempfile.TemporaryDirectory(prefix="nd-") as directory:
            path = Path(directory) / "docker.sock"
            with _Server(str(path), _handler(self)) as server:  # type: ignore[arg-type]
                thread = threading.Thread(target=server.serve_forever, args=(0.01,))
                thread.start()
                try:
                    yield f"unix://{path}"
                finally:
                    server.shutdown()
                    thread.join()

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        """Return status and body of an answer."""
        minor = path.removeprefix("/v1.").partition("/")[0]
        if path.startswith("/v1.") and int(minor) < int(self.version["MinAPIVersion"][2:]):
            words = f"client version 1.{minor} is too old. Minimum supported API version is "
            return 400, {"message": words + str(self.version["MinAPIVersion"])}
        bare = path.partition("?")[0]
        bare = bare if not bare.startswith("/v1.") else bare[bare.index("/", 1) :]
        key = f"{method} {bare}"
        self.during.get(key, lambda: None)()
        found = self.version if bare == "/version" else self.answers.get(key, 404)
        if isinstance(found, int):
            return found, {"message": f"status {found}"}
        return found if isinstance(found, tuple) else (200, found)


class _Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "engine", 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


def _handler(double: EngineDouble) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            double.requests.append(f"{self.command} {self.path.partition('?')[0]}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = double.answer(self.command, self.path)
            if status == 0:  # the reply is lost
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.send_response(status)
            if isinstance(body, Iterator):
                self._stream(body)
                return
            written = json.dumps(body).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def _stream(self, lines: Iterator[Any]) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in lines:
                if isinstance(line, float):
                    time.sleep(line)
                    continue
                written = json.dumps(line).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(written), written))
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - the names are the library's

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
