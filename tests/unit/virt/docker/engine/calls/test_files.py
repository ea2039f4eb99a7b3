# SPDX-License-Identifier: Apache-2.0
"""Lists of users that have no end, and whoever would have the engine read them."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import pytest
import requests

from novadocker.errors import EngineError, EngineFailed, PolicyRefused
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.engine import Connection, Engine

PASSWD, GROUP = "/etc/passwd", "/etc/group"
FILE, FIFO, DEVICE, LINK = 0o644, 1 << 25, 1 << 26 | 1 << 21, 1 << 27
SOUND = {PASSWD: (FILE, 900, ""), GROUP: (FILE, 500, "")}
GRANTED = settings_for(
    Flavor(vcpus=1, memory_mib=64, root_gib=1), Abilities(disk_limit=False, pids=9)
)
HUGE = 4 * 1024**2 + 1


class Reached(Exception):
    """The engine was asked to do it."""


class Api:
    """An engine with one container; it tells of files, and never comes to run anything."""

    base_url, api_version, timeout = "http://engine", "1.41", 5

    def __init__(self, files: Mapping[str, Any]) -> None:
        self._files = files

    def request(
        self, method: str, url: str, params: Mapping[str, str], timeout: int, stream: bool = False
    ) -> requests.Response:
        """Tell of a path, with a number fail by that status, with words fail by a fault."""
        assert url == "http://engine/v1.41/containers/nova-1/archive"
        found = self._files.get(params["path"], 404)
        answer = requests.Response()
        status = 500 if isinstance(found, str) else found
        answer.status_code = status if isinstance(status, int) else 200
        # An answer to HEAD has no body.
        answer._content = json.dumps({"message": found}).encode() if method == "GET" else b""
        if not isinstance(status, int):
            told = dict(zip(("mode", "size", "linkTarget"), found, strict=True))
            stat = base64.b64encode(json.dumps(told).encode()).decode()
            answer.headers["X-Docker-Container-Path-Stat"] = stat
        return answer

    def _reached(self, *_: Any, **__: Any) -> NoReturn:
        raise Reached

    start = exec_create = _reached


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Engine]:
    """How to have an engine whose container has some files."""

    def make(**files: Any) -> Engine:
        made = Engine(Connection("unix:///nobody.sock"))
        paths = {f"/etc/{name}": what for name, what in files.items()}
        monkeypatch.setattr(Engine, "_api", Api(SOUND | paths))
        return made

    return make


CALLS: dict[str, Callable[[Engine], object]] = {
    "start": lambda engine: engine.start("nova-1"),
    "run": lambda engine: engine.run("nova-1", ("/bin/true",), user="0"),
    "console": lambda engine: engine.run_on_terminal("nova-1", ("/bin/sh",), {}),
    "password": lambda engine: Guest(engine, "nova-1").set_password(
        Login("web", "$6$s$h"), GRANTED
    ),
}
WITHOUT_END: dict[str, Mapping[str, Any]] = {
    "a FIFO": {"passwd": (FIFO | FILE, 0, "")},
    "a FIFO, the second": {"group": (FIFO | FILE, 0, "")},
    "a device": {"passwd": (DEVICE | FILE, 0, "")},
    "a link to a FIFO": {"group": (LINK | 0o777, 9, "/etc/pipe"), "pipe": (FIFO, 0, "")},
    "a link to itself": {"passwd": "too many links in /var/lib/docker/merged/etc/passwd"},
    "a link above the root": {"passwd": "openat etc/passwd: path escapes from parent"},
    "too large": {"group": (FILE, HUGE, "")},
}
WITH_END: dict[str, Mapping[str, Any]] = {
    "files": {},
    "no files": {"passwd": 404, "group": 404},
    "a link to a file": {"passwd": (LINK | 0o777, 9, "/etc/users"), "users": (FILE, 9, "")},
    "a link to nothing": {"group": (LINK | 0o777, 9, "/etc/gone")},
    "as large as may be": {"group": (FILE, HUGE - 1, "")},
}


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize("case", list(WITHOUT_END))
def test_the_engine_is_kept_from_a_list_of_users_without_end(
    engine: Callable[..., Engine], case: str, call: str
) -> None:
    """Before it looks for a user: the refusal names the file, and what it should be."""
    with pytest.raises(PolicyRefused, match=r"^/etc/(passwd|group) .* regular file of at most 4"):
        CALLS[call](engine(**WITHOUT_END[case]))


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize("case", list(WITH_END))
def test_the_engine_reads_what_has_an_end(
    engine: Callable[..., Engine], case: str, call: str
) -> None:
    """An image need not have such lists."""
    with pytest.raises(Reached):
        CALLS[call](engine(**WITH_END[case]))


def test_an_engine_that_cannot_tell_is_not_asked_more(engine: Callable[..., Engine]) -> None:
    """A refusal that is no answer about the file is the engine's own."""
    with pytest.raises(EngineError, match=f"look for {PASSWD} in container nova-1"):
        engine(passwd=409).start("nova-1")


def test_a_fault_of_the_engine_is_told_in_its_own_words(engine: Callable[..., Engine]) -> None:
    """HTTP 500 for any other reason than the path is no refusal of the server's file."""
    with pytest.raises(EngineFailed, match=r"by a fault of its own .*: layer is gone"):
        engine(passwd="layer is gone").start("nova-1")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((0o755, 9, ""), True),
        ((FILE, 9, ""), False),
        ((1 << 31 | 0o755, 9, ""), False),
        (404, False),
        ("too many levels of symbolic links", False),
    ],
)
def test_a_program_is_a_file_that_can_be_run(
    engine: Callable[..., Engine], found: Any, expected: bool
) -> None:
    """No directory, and no link that leads back to itself."""
    assert engine(sh=found).is_program("nova-1", "/etc/sh") is expected


def test_a_link_to_a_program_is_one(engine: Callable[..., Engine]) -> None:
    """As /bin/sh is nearly everywhere."""
    linked = engine(sh=(LINK | 0o777, 9, "/etc/dash"), dash=(0o755, 9, ""))
    assert linked.is_program("nova-1", "/etc/sh")
