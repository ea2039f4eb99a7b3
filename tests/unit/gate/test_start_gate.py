# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novadocker.errors import GateError
from novadocker.gate import start_gate
from novadocker.gate.build import PROGRAM, compile_gate
from novadocker.gate.start_gate import StartGate
from novadocker.virt.docker.check.findings import is_static

SHOW = "import os, sys; print(sys.argv[1:], os.getcwd(), sorted(os.environ.items()))"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gate of a wheel, compiled if missing."""
    if PROGRAM.exists():
        return PROGRAM
    compiled = tmp_path_factory.mktemp("gate") / "gate"
    compile_gate(compiled)
    return compiled


@pytest.fixture
def gate(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartGate:
    """One instance's gate, in place."""
    monkeypatch.setattr(start_gate, "PROGRAM", program)
    made = StartGate(tmp_path / "gate", "nova-1")
    made.make()
    return made


@pytest.fixture
def start(gate: StartGate) -> Iterator[Start]:
    """How to run a command behind the gate."""
    with contextlib.ExitStack() as stack:

        def begin(*command: str, **options: object) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [gate.directory / "gate", gate.directory / "open", *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                **options,  # type: ignore[call-overload]
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield begin


def ended(gate: StartGate, process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Open the gate and return exit code, output and errors."""
    gate.open_when_reached(10, alive=lambda: process.poll() is None)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


def executable(path: Path, content: str, mode: int = 0o755) -> Path:
    """Write a program."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def test_the_program_needs_nothing_of_the_image(program: Path) -> None:
    """The program is static: without an interpreter the gate runs in an empty image."""
    assert is_static(program)
    assert program.stat().st_mode & stat.S_IXOTH


def test_the_command_waits_until_the_gate_is_opened(gate: StartGate, start: Start) -> None:
    """Not one instruction of the command runs before."""
    process = start("/bin/echo", "through")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    assert ended(gate, process) == (0, "through\n", "")


def test_the_command_is_the_same_process(gate: StartGate, start: Start) -> None:
    """PID 1 of the container is the image's own program."""
    process = start("/bin/sh", "-c", "echo $$")
    assert ended(gate, process)[1] == f"{process.pid}\n"


def test_arguments_environment_and_directory_are_untouched(
    gate: StartGate, start: Start, tmp_path: Path
) -> None:
    """Blanks, quotes, dollars, newlines and empty arguments arrive as they were given."""
    arguments = ["", " a  b ", "$HOME", "'\"", "x\ny", "*"]
    environment = {"A": "1 $B", "LC_CTYPE": "C.UTF-8", "PATH": "/nowhere"}
    process = start(sys.executable, "-c", SHOW, *arguments, cwd=tmp_path, env=environment)
    expected = f"{arguments} {tmp_path} {sorted(environment.items())}\n"
    assert ended(gate, process) == (0, expected, "")


def test_no_descriptor_of_the_gate_is_left_to_the_command(gate: StartGate, start: Start) -> None:
    """The command has standard input, output and errors, and the descriptor of the listing."""
    process = start("/bin/ls", "/proc/self/fd")
    assert ended(gate, process)[1].split() == ["0", "1", "2", "3"]


def test_a_signal_does_to_the_command_what_it_would(gate: StartGate, start: Start) -> None:
    """The gate's own handlers are gone once it is through."""
    process = start("/bin/sh", "-c", "echo ready; exec sleep 60")
    gate.open_when_reached(10, alive=lambda: True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(timeout=5) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("command", "status"),
    [("/no/such/program", 127), ("no-such-program", 127), ("/etc/passwd", 126), ("/etc", 126)],
)
def test_a_command_that_cannot_run_ends_as_in_docker(
    gate: StartGate, start: Start, command: str, status: int
) -> None:
    """A missing command ends with 127, an unusable command with 126; the console names both."""
    code, _, err = ended(gate, start(command))
    assert code == status
    assert f"cannot run {command}: " in err


@pytest.mark.parametrize("arguments", [(), ("fifo",)])
def test_a_gate_without_a_command_says_how_it_is_used(
    program: Path, arguments: tuple[str, ...]
) -> None:
    """The gate fails as itself, with 125."""
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=10
    )
    assert (done.returncode, done.stderr) == (
        125,
        "usage: gate FIFO|--init COMMAND [ARGUMENT...]\n",
    )


def test_a_gate_without_its_fifo_fails_as_itself(program: Path, tmp_path: Path) -> None:
    """125 tells it from the command's own failures."""
    done = subprocess.run(
        [program, tmp_path / "gone", "/bin/true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    assert done.returncode == 125
    assert "gone: No such file or directory" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_waiting_gate_can_be_told_to_end(
    start: Start, number: signal.Signals, status: int
) -> None:
    """PID 1 ignores signals without a handler, so a stop at the gate would take its whole time."""
    process = start("/bin/true")
    time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=5) == status


def test_a_bare_name_is_searched_along_the_images_path(
    gate: StartGate, start: Start, tmp_path: Path
) -> None:
    """The first usable program in PATH is run; unusable files are passed over."""
    executable(tmp_path / "a" / "tool", "#!/bin/sh\necho a\n", mode=0o644)
    executable(tmp_path / "b" / "tool", "#!/bin/sh\necho b\n")
    executable(tmp_path / "c" / "tool", "#!/bin/sh\necho c\n")
    path = ":".join(str(tmp_path / name) for name in ("none", "a", "b", "c"))
    assert ended(gate, start("tool", env={"PATH": path})) == (0, "b\n", "")


def test_a_bare_name_that_cannot_be_run_anywhere_ends_with_126(
    gate: StartGate, start: Start, tmp_path: Path
) -> None:
    """A command that was found ends with 126, since 127 would mislead."""
    executable(tmp_path / "a" / "tool", "#!/bin/sh\n", mode=0o644)
    path = f"{tmp_path}/a:{tmp_path}/none"
    assert ended(gate, start("tool", env={"PATH": path}))[0] == 126


@pytest.mark.parametrize("path", ["", ":/none", "/none:"])
def test_an_empty_part_of_the_path_is_the_working_directory(
    gate: StartGate, start: Start, tmp_path: Path, path: str
) -> None:
    """As in every shell."""
    executable(tmp_path / "w" / "tool", "#!/bin/sh\necho here\n")
    process = start("tool", env={"PATH": path}, cwd=tmp_path / "w")
    assert ended(gate, process) == (0, "here\n", "")


def test_an_image_without_a_path_has_the_usual_one(gate: StartGate, start: Start) -> None:
    """ENV PATH is not set in every image."""
    assert ended(gate, start("true", env={})) == (0, "", "")


@pytest.mark.parametrize("how", ["by path", "by name"])
def test_a_file_without_a_format_is_not_given_to_a_shell(
    gate: StartGate, start: Start, tmp_path: Path, how: str
) -> None:
    """Docker does not do it either."""
    script = executable(tmp_path / "bin" / "script", "echo no\n")
    command = str(script) if how == "by path" else "script"
    code, out, err = ended(gate, start(command, env={"PATH": str(script.parent)}))
    assert (code, out) == (126, "")
    assert "Exec format error" in err


def test_a_gate_is_open_to_strangers_for_reading_only(gate: StartGate) -> None:
    """The container's users are others on the host; none of them may open the gate."""
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in gate.directory.iterdir()}
    assert modes == {"gate": "0o755", "open": "0o644"}
    assert gate.directory.stat().st_mode & 0o777 == 0o755


def test_the_modes_do_not_depend_on_the_services_umask(program: Path, tmp_path: Path) -> None:
    """A service may run with a umask of 077."""
    before = os.umask(0o077)
    try:
        made = StartGate(tmp_path / "private" / "gate", "nova-1")
        made.make()
    finally:
        os.umask(before)
    assert (made.directory / "open").stat().st_mode & 0o777 == 0o644
    assert (made.directory / "gate").stat().st_mode & 0o777 == 0o755


def test_making_a_gate_again_keeps_its_fifo(gate: StartGate) -> None:
    """A container waiting at the gate is not cut off."""
    before = (gate.directory / "open").stat().st_ino
    gate.make()
    assert (gate.directory / "open").stat().st_ino == before


def test_nobody_waiting_is_no_error(gate: StartGate, tmp_path: Path) -> None:
    """Letting go says so; neither the gate nor its directory need be there."""
    assert gate.open_if_reached() is False
    assert StartGate(tmp_path / "gone", "nova-1").open_if_reached() is False


def test_letting_go_tells_whether_one_waited(gate: StartGate, start: Start) -> None:
    """Opening is told once, for the container let go."""
    process = start("/bin/true")
    deadline = time.monotonic() + 5
    while not gate.open_if_reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.wait(timeout=5) == 0
    assert gate.open_if_reached() is False


def test_opening_waits_for_the_container_to_come(gate: StartGate, start: Start) -> None:
    """The engine reports a container as running before its first program has opened the FIFO."""
    timer = threading.Timer(0.2, start, args=("/bin/true",))
    timer.start()
    gate.open_when_reached(10, alive=lambda: True)
    timer.join()


def test_opening_gives_up_after_its_time(gate: StartGate) -> None:
    """The error names the container and the time."""
    began = time.monotonic()
    with pytest.raises(GateError, match=r"nova-1 .* not there after 0\.2 s"):
        gate.open_when_reached(0.2, alive=lambda: True)
    assert time.monotonic() - began < 2


def test_opening_notices_a_container_that_ended(gate: StartGate) -> None:
    """An opener does not wait for a container that has ended."""
    began = time.monotonic()
    with pytest.raises(GateError, match=r"nova-1 .* ended before"):
        gate.open_when_reached(30, alive=lambda: False)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_an_init_ends_as_its_command_does(program: Path, script: str, status: int) -> None:
    """An init hands on an exit code, and a signal as 128 and its number."""
    done = subprocess.run([program, "--init", "/bin/sh", "-c", script], check=False, timeout=10)
    assert done.returncode == status


def test_an_init_names_a_command_that_cannot_run(program: Path) -> None:
    """A missing command ends with 127 behind an init as behind the gate."""
    command = [program, "--init", "/no/such/program"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 127
    assert "cannot run /no/such/program: " in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN + 3])
def test_an_init_hands_signals_on(program: Path, number: int) -> None:
    """Each signal is the command's, which begins with none blocked."""
    script = f"trap 'exit 9' {int(number)}; echo ready; while :; do sleep 0.05; done"
    command = [program, "--init", "/bin/bash", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == 9


def test_a_process_is_at_the_gate_or_an_init(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The gate and the init are one program, told apart by the word that follows."""
    monkeypatch.setattr(start_gate, "PROC", tmp_path)
    for pid, words in enumerate((StartGate.entrypoint(), start_gate.INIT, ("/bin/sh",)), start=1):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text("".join(f"{each}\0" for each in words))
    assert [start_gate.process_is_at_gate(pid) for pid in (1, 2, 3)] == [True, False, False]
    assert [start_gate.process_is_init(pid) for pid in (1, 2, 3)] == [False, True, False]
