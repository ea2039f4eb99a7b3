# SPDX-License-Identifier: Apache-2.0
"""The serial console of a server, through Nova's proxy, as a browser reaches it."""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import openstack
import pytest
import websocket
from openstack.exceptions import ConflictException, NotFoundException

from tests.support.cloud_site import Site, Tenant
from tests.support.console_viewer import ESCAPES, Screen

PATIENCE = 30
QUESTION = b"\x1b[999;999H\x1b[6n"


class Viewer(Screen):
    """A terminal with a window, at the other end of a WebSocket."""

    def __init__(self, url: str, rows: int, columns: int) -> None:
        """Connect."""
        self.socket = websocket.create_connection(url, timeout=PATIENCE, subprotocols=["binary"])
        self.size = f"\x1b[{rows};{columns}R"

    def type(self, text: str) -> None:
        """Send keys to the console."""
        self.socket.send_binary(text.encode())

    def rest(self) -> str:
        """Read to the end."""
        with contextlib.suppress(websocket.WebSocketConnectionClosedException):
            while True:
                self.read()
        return ESCAPES.sub(b"", self.seen).decode(errors="replace")

    def read(self) -> None:
        """Append the next frame to ``seen``, and answer questions for the size."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException
        for _ in range(data.count(QUESTION)):  # as every terminal answers
            self.type(self.size)
        self.seen += data


@pytest.fixture
def look() -> Iterator[Callable[..., Viewer]]:
    """How to look at a console."""
    with contextlib.ExitStack() as undo:

        def made(url: str, rows: int = 24, columns: int = 80) -> Viewer:
            viewer = Viewer(url, rows, columns)
            undo.callback(viewer.socket.shutdown)
            return viewer

        yield made


@pytest.fixture
def stranger(site: Site) -> Iterator[Any]:
    """Somebody of another project."""
    identity, name = site.admin.identity, f"test-{secrets.token_hex(4)}"
    password = secrets.token_hex(8)
    with contextlib.ExitStack() as undo:
        project = identity.create_project(name=name)
        undo.callback(identity.delete_project, project)
        user = identity.create_user(name=name, password=password)
        undo.callback(identity.delete_user, user)
        identity.assign_project_role_to_user(project, user, identity.find_role("member"))
        auth = dict(site.demo.config.config["auth"])
        auth |= {"username": name, "password": password, "project_name": name}
        yield undo.enter_context(
            openstack.connection.Connection(auth=auth, region_name=site.demo.config.region_name)
        )


def url_of(compute: Any, server: str) -> str:
    """Ask for the address of a server's console."""
    return str(compute.create_server_remote_console(server, protocol="serial", type="serial").url)


def test_a_server_has_one_terminal_for_all_who_may_see_it(
    site: Site, tenant: Tenant, web: str, look: Callable[..., Viewer], stranger: Any
) -> None:
    """A console is a shell of the window's size, the same for all viewers, ended by a stop."""
    server = tenant.boot(web, name="console-1", metadata={"COLOUR": "green"})
    url = url_of(site.demo.compute, server)
    first = look(url, 31, 101)
    assert first.asks("echo $COLOUR `hostname` `stty size`") == "green console-1 31 101"
    second = look(url_of(site.demo.compute, server), 41, 91)
    second.sees("green console-1")  # what was there before
    assert second.asks("stty size") == "31 91"
    first.sees("31 91")  # what the other did
    with pytest.raises(NotFoundException):
        url_of(stranger.compute, server)
    with pytest.raises((websocket.WebSocketException, OSError)):
        look(re.sub("token%3D.*|token=.*", "token=wrong", url)).sees("anything")
    site.demo.compute.stop_server(server)
    assert "[nova-docker] the server has stopped" in first.rest()
    site.wait(server, "SHUTOFF")
    with pytest.raises(ConflictException):
        url_of(site.demo.compute, server)
