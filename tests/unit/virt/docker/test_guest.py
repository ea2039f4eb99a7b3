# SPDX-License-Identifier: Apache-2.0
import dataclasses
import io
import tarfile

import pytest

from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.guest import Home, _epitaph, _key_archive, home_of

ENDED = Container(
    id="f" * 64,
    name="nova-1",
    labels={},
    state=State.EXITED,
    exit_code=137,
    finished_at="2026-01-01T00:00:00Z",
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "ended with exit code 137 at 2026-01-01T00:00:00Z"),
        ({"out_of_memory": True}, "ended with exit code 137, out of memory at"),
        ({"exit_code": 0}, "ended with exit code 0 at"),
        ({"state": State.DEAD}, "ended with exit code 137"),
    ],
)
def test_the_console_says_how_the_process_ended(changes: dict[str, object], said: str) -> None:
    """A tenant sees the exit code and whether memory was the cause."""
    assert said in _epitaph(dataclasses.replace(ENDED, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.CREATED])
def test_nothing_is_said_of_a_process_that_did_not_end(state: State) -> None:
    """The console is the process's own until then."""
    assert _epitaph(dataclasses.replace(ENDED, state=state)) == ""


def test_a_key_is_its_owners_alone() -> None:
    """Sshd refuses files that others may write; the archive names owner and modes."""
    packed = io.BytesIO(_key_archive(Home("home/web", 1000, 1001), " ssh-ed25519 AAAA me \n\n"))
    with tarfile.open(fileobj=packed, mode="r:") as archive:
        directory, key = archive.getmembers()
        content = archive.extractfile(key)
        assert content
        assert content.read() == b"ssh-ed25519 AAAA me\n"
    assert (directory.name, directory.mode, directory.isdir()) == ("home/web/.ssh", 0o700, True)
    assert (key.name, key.mode) == ("home/web/.ssh/authorized_keys", 0o600)
    assert {(each.uid, each.gid) for each in (directory, key)} == {(1000, 1001)}


@pytest.mark.parametrize(
    ("line", "home"),
    [
        ("web:x:1000:1001::/srv/web:/bin/sh", Home("srv/web", 1000, 1001)),
        ("www:x:web:1001::/srv/web:/bin/sh", None),
        ("web:x:one:1001::/srv/web:/bin/sh", None),
        ("web:x:1000:70000::/srv/web:/bin/sh", None),
        ("web:x:1000:1001::/:/bin/sh", None),
        ("web:x:1000:1001::/srv/../../etc:/bin/sh", None),
        ("web:x:1000:1001::/srv/web", None),
        ("other:x:1:1::/o:/bin/sh", None),
    ],
)
def test_a_home_is_believed_only_where_a_key_can_go(line: str, home: Home | None) -> None:
    """The file is the tenant's: what is odd in it is no home."""
    assert home_of("web", f"root:x:0:0::/root:/bin/sh\n{line}\n") == home
