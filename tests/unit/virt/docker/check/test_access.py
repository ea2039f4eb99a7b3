# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.virt.docker.check import access
from novadocker.virt.docker.check.findings import Finding, Verdict

ROOT = "/var/lib/docker/100000.100000"
FINE = "dockremap:100000:65536\n"
ACCOUNTS = {"root": 0, "nova": 995, "nobody": 65534}


def judged(uids: str = FINE, gids: str = FINE, root: str = ROOT, **accounts: int) -> Finding:
    """Judge files of subordinate ids."""
    files = {"/etc/subuid": uids, "/etc/subgid": gids}
    return access.subordinates(root, files, {**ACCOUNTS, **accounts})


def test_ids_of_their_own_are_well() -> None:
    """Others may have others, and an engine without any is another finding's matter."""
    assert judged().verdict is Verdict.OK
    assert judged(FINE + "alice:165536:65536\n# bob:100000:9\nodd\n").verdict is Verdict.OK
    assert judged("", "", root="/var/lib/docker").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (judged(""), "/etc/subuid: no range begins at 100000"),
        (judged(gids=""), "/etc/subgid: no range begins at 100000"),
        (judged("dockremap:0:65536", root="/d/0.100000"), "no range begins at 0"),
        (judged("dockremap:100000:1000"), "dockremap has 1000 ids"),
        (judged(FINE + "alice:165535:10"), "ids of containers are alice's too"),
        (judged(FINE + "alice:99999:2"), "ids of containers are alice's too"),
        (judged(bob=100000), "bob of this host has an id of containers"),
        (judged(bob=165535), "bob of this host has an id of containers"),
    ],
)
def test_ids_that_others_have_are_a_warning(found: Finding, words: str) -> None:
    """Whoever has them is a container's root, and the other way round."""
    assert found.verdict is Verdict.WARNING
    assert words in found.words
    assert "ids of its own" in found.fix


@pytest.mark.parametrize(
    ("mode", "members", "verdict"),
    [
        (0o600, ["alice"], Verdict.OK),
        (0o660, [], Verdict.OK),
        (0o660, ["nova", "root"], Verdict.OK),
        (0o660, ["nova", "alice"], Verdict.WARNING),
        (0o666, [], Verdict.WARNING),
    ],
)
def test_who_may_use_the_socket_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    members: list[str],
    verdict: Verdict,
) -> None:
    """All but root and the user that must."""
    socket = tmp_path / "docker.sock"
    socket.touch()
    socket.chmod(mode)
    monkeypatch.setattr(access, "_members", lambda _: members)
    (found,) = access.socket(socket, "nova")
    assert found.verdict is verdict
    assert ("alice" in found.words) is (verdict is Verdict.WARNING and "alice" in members)


def test_a_socket_that_is_not_there_is_not_judged(tmp_path: Path) -> None:
    """Another finding tells it, or it is no Unix socket at all."""
    assert list(access.socket(tmp_path / "no", "nova")) == []


def test_a_group_has_those_whose_first_it_is(tmp_path: Path) -> None:
    """Also a group without a name has members."""
    assert "root" in list(access._members(0))
    assert list(access._members(2**31 - 2)) == []
