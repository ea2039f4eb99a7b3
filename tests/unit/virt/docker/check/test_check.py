# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import json
import os
import shutil
import socket as sockets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from novadocker.virt.docker.check import command
from novadocker.virt.docker.check import findings as check
from novadocker.virt.docker.check.findings import Finding, Verdict

Judge = Callable[[], Finding]


@pytest.mark.parametrize(
    ("judge", "verdict", "words"),
    [
        (lambda: check.nova_version("34.0.0"), "ok", "34.0.0"),
        (lambda: check.nova_version("34.1.2.dev3"), "ok", "34.1.2.dev3"),
        (lambda: check.nova_version("33.0.0"), "warning", "never tested.*34 was"),
        (lambda: check.nova_version(None), "missing", "cannot import"),
        (lambda: check.configuration(Path("/dev/null")), "ok", "/dev/null"),
        (lambda: check.configuration(Path("/no/x")), "missing", "cannot read /no/x; name"),
        (lambda: check.way_in("/site/shim.py", []), "ok", "/site/shim.py"),
        (lambda: check.way_in(None, ["ovs", "novadocker"]), "ok", "entry point"),
        (lambda: check.way_in(None, ["ovs"]), "missing", "install the wheel"),
        (lambda: check.ovs_plugin(["ovs"]), "ok", "ovs plugin"),
        (lambda: check.ovs_plugin([]), "missing", "reinstall os-vif"),
        (lambda: check.unseen([]), "ok", "none has a living process"),
        (lambda: check.unseen(["b", "a"]), "missing", "a, b: .*alive; end these processes"),
        (lambda: check.socket("tcp://h:2376"), "ok", "by TCP"),
        (lambda: check.socket("unix:///no/such.sock"), "missing", "start Docker"),
        (lambda: check.start_gate(Path("/no/gate")), "missing", "install a wheel"),
        (lambda: check.attempt("x", lambda: "seen"), "ok", "seen"),
        (lambda: check.attempt("x", lambda: str(1 // 0), "do y"), "missing", "by zero; do y"),
    ],
)
def test_each_item_is_judged(judge: Judge, verdict: str, words: str) -> None:
    """What is not well says what to do."""
    found = judge()
    assert found.verdict == verdict
    assert pytest.raises(AssertionError, match=words).matches(AssertionError(str(found)))


def test_a_finding_is_one_line() -> None:
    """Verdicts line up, so that what is missing catches the eye; what to do comes last."""
    assert str(Finding("item", Verdict.OK, "seen", "do")) == "ok       item: seen; do"
    lines = [str(Finding("item", verdict, "words")) for verdict in Verdict]
    assert lines == ["ok       item: words", "warning  item: words", "missing  item: words"]


def test_a_program_with_an_interpreter_is_not_static() -> None:
    """The shell of this machine is linked to its libraries."""
    shell = Path(shutil.which("sh") or "/bin/sh")
    assert not check.is_static(shell)
    assert "not static" in check.start_gate(shell).words


def test_a_socket_that_this_user_may_use_is_well(tmp_path: Path) -> None:
    """Reading and writing are what it takes."""
    with sockets.socket(sockets.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert check.socket(f"unix://{tmp_path}/s").verdict is Verdict.OK


def test_a_socket_of_another_group_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator learns into which group the user belongs."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    (tmp_path / "s").touch()
    assert "into the group that owns it" in check.socket(f"unix://{tmp_path}/s").fix


def test_instances_are_where_containers_get_to() -> None:
    """A directory that is not there yet is judged by its parents; each closed one is named."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        parent = Path(made)
        below = parent / "nova" / "instances"
        found = check.instances_path(below)
        assert found.verdict is Verdict.MISSING
        assert (found.words, found.fix) == (
            f"containers cannot get to {below}",
            f"chmod o+x {parent}",
        )
        parent.chmod(0o711)
        assert check.instances_path(below).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("judged", "usual", "strict"),
    [
        ([], 0, 0),
        ([Verdict.OK], 0, 0),
        ([Verdict.OK, Verdict.WARNING], 0, 3),
        ([Verdict.OK, Verdict.MISSING, Verdict.WARNING], 1, 1),
    ],
)
@pytest.mark.parametrize("options", [[], ["--strict"], ["--json"]])
def test_only_what_is_missing_fails_the_command(
    judged: list[Verdict],
    usual: int,
    strict: int,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A warning is the operator's to judge, unless asked to be strict; every finding is printed."""
    found = [Finding(str(number), each, "w", "f") for number, each in enumerate(judged)]
    monkeypatch.setattr(command, "findings", lambda _: found)
    monkeypatch.setattr(sys, "argv", ["novadocker-check", *options])
    assert command.main() == (strict if "--strict" in options else usual)
    printed = capsys.readouterr().out
    if "--json" in options:
        assert json.loads(printed) == [
            {"item": str(number), "verdict": each, "words": "w", "fix": "f"}
            for number, each in enumerate(judged)
        ]
    else:
        assert len(printed.splitlines()) == len(found)


def run_check(conf: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, since it sets up Nova for the whole process."""
    program = "import sys; from novadocker.virt.docker.check.command import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "--config-file", conf],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def verdicts(output: str) -> dict[str, str]:
    """Return verdicts by item."""
    return {line.split(":")[0][9:]: line.split()[0] for line in output.splitlines()}


def test_a_host_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    """One line an item, an engine that is away among them, and no traceback."""
    conf = tmp_path / "nova.conf"
    conf.write_text(f"[docker]\nhost_url = unix://{tmp_path}/no.sock\n")
    done = run_check(conf)
    items = verdicts(done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    nova = int(importlib.metadata.version("nova").partition(".")[0])
    expected = "ok" if nova in check.TESTED_NOVA else "warning"
    assert (items["Nova"], items["configuration"]) == (expected, "ok")
    assert (items["socket"], items["engine"]) == ("missing", "missing")


@pytest.mark.parametrize(
    ("text", "last", "said"),
    [
        (None, "nova.conf", "cannot read"),
        ("[docker]\nprivileged = true\n", "configuration", "by flavor"),
        ("[docker]\ntimeout = soon\n", "configuration", "timeout"),
    ],
)
def test_a_configuration_that_cannot_be_used_ends_the_look(
    text: str | None, last: str, said: str, tmp_path: Path
) -> None:
    """What it says cannot be judged then."""
    conf = tmp_path / "nova.conf"
    if text:
        conf.write_text(text)
    done = run_check(conf)
    assert list(verdicts(done.stdout))[-1] == last
    assert said in done.stdout.splitlines()[-1]
    assert done.returncode == 1
