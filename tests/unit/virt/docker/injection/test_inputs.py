# SPDX-License-Identifier: Apache-2.0
import base64
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import PolicyRefused
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker import translation
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.driver import CONF
from novadocker.virt.docker.injection.files import personality
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs, first_words
from novadocker.virt.docker.injection.user_data import PROGRAM, UserData, asked_for
from novadocker.virt.docker.translation import metadata
from tests.unit.virt.docker.nova_side import UUID, instance

SCRIPT = b"#!/bin/sh\necho ran with $# words\n"
GRANTED = settings_for(
    Flavor(vcpus=1, memory_mib=64, root_gib=1), Abilities(disk_limit=False, pids=64, userns=True)
)


def test_a_command_has_no_words_before_it_without_user_data() -> None:
    """The image's own command comes first where no user data are to be run."""
    assert first_words(NOTHING, GRANTED) == ()


def test_user_data_come_before_the_command() -> None:
    """A shell runs the driver's program, with the instance's id as its word."""
    words = first_words(Inputs(user_data=UserData("i-1", SCRIPT)), GRANTED)
    assert words == ("/bin/sh", "/dev/.novadocker/user_data.sh", "i-1")


@pytest.mark.parametrize(
    ("inputs", "setting"),
    [
        (Inputs(files=personality([("/etc/motd", b"")])), "personality file = /etc/motd"),
        (Inputs(user_data=UserData("i-1", SCRIPT)), "image property docker_user_data = run"),
    ],
)
def test_files_are_refused_where_the_root_is_read_only(inputs: Inputs, setting: str) -> None:
    """The refusal names the input; a key, a password and a config drive are no files."""
    read_only = replace(GRANTED, rights=replace(GRANTED.rights, read_only=True))
    with pytest.raises(PolicyRefused, match=f"{setting} is refused.*read-only"):
        first_words(inputs, read_only)
    assert first_words(Inputs(public_key="ssh-ed25519 AAAA"), read_only) == ()


@pytest.mark.parametrize(
    ("content", "wanted", "expected"),
    [
        (SCRIPT, "run", UserData("i-1", SCRIPT)),
        (b"#cloud-config\n", "run", UserData("i-1", b"#cloud-config\n")),
        (SCRIPT, None, None),
        (None, "run", None),
        (b"", "run", None),
    ],
)
def test_user_data_are_run_where_the_image_asks_for_it(
    content: bytes | None, wanted: str | None, expected: UserData | None
) -> None:
    """Images without the property find user data by metadata service or config drive."""
    assert asked_for("i-1", content, wanted) == expected


@pytest.mark.parametrize("wanted", ["yes", "", "Run"])
def test_a_property_that_means_nothing_is_refused(wanted: str) -> None:
    """A tenant would wait in vain for an effect."""
    with pytest.raises(PolicyRefused, match=r"docker_user_data = .* accepted is 'run'"):
        asked_for("i-1", SCRIPT, wanted)


# The program that runs user data, on this machine's own shell


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """How to boot with user data; the same again is another boot."""
    program = tmp_path / "user_data.sh"
    program.write_text(PROGRAM.read_text().replace("/var/lib/cloud", str(tmp_path / "cloud")))

    def boot(content: bytes, *, writable: bool = True) -> str:
        if writable:
            (tmp_path / "cloud/instances/i-1/sem").mkdir(parents=True, exist_ok=True)
        (tmp_path / "user-data").unlink(missing_ok=True)
        if UserData("i-1", content).is_script:
            (tmp_path / "user-data").write_bytes(content)
            (tmp_path / "user-data").chmod(0o755)
        command = ("sh", "-c", 'echo "command $0 $1, process $$"', "one", "two words")
        with subprocess.Popen(
            ("/bin/sh", program, "i-1", *command), stdout=subprocess.PIPE, text=True
        ) as process:
            output, _ = process.communicate(timeout=10)
            return output.replace(str(process.pid), "the same")

    return boot


COMMAND = "command one two words, process the same\n"


def test_a_script_runs_once_and_then_the_command(run: Run) -> None:
    """As the same process, with its own words; a second boot runs the command alone."""
    assert run(SCRIPT) == f"ran with 0 words\n{COMMAND}"
    assert run(SCRIPT) == COMMAND


def test_a_script_that_fails_is_no_failed_boot(run: Run) -> None:
    """The exit code of the script is told, and the command runs."""
    told = run(b"#!/bin/sh\nexit 7\n")
    assert told == f"[nova-docker] the user data ended with exit code 7\n{COMMAND}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/bin/sh\r\necho\r\n", "the user data's lines end in CR LF; LF is wanted\n"),
        (b"#!/bin/sh -e\r\ntrue\r\n", "the user data's lines end in CR LF; LF is wanted\n"),
        (b"#! /opt/no-bash -e\n", "the image has no /opt/no-bash\n"),
    ],
)
def test_a_missing_interpreter_is_told(run: Run, content: bytes, said: str) -> None:
    """The shell's own words name the script, which is there."""
    told = run(content)
    assert told.endswith(f"[nova-docker] {said}{COMMAND}")


def test_what_is_no_script_is_left_alone(run: Run) -> None:
    """The console says so."""
    assert run(b"#cloud-config\n").endswith(f"were left alone\n{COMMAND}")


def test_a_script_that_could_not_be_remembered_does_not_run(run: Run) -> None:
    """A script without a mark would run at every boot."""
    told = run(SCRIPT, writable=False)
    assert "were not run" in told
    assert told.endswith(COMMAND)


# From Nova's instance


@pytest.fixture(autouse=True)
def _nothing_asked_of_nova(monkeypatch: pytest.MonkeyPatch) -> None:
    options.register(CONF)
    monkeypatch.setattr(metadata, "describe_devices", lambda *_: None)


@pytest.fixture
def passwords_off() -> Iterator[None]:
    """An operator who sets no passwords."""
    CONF.set_override("inject_password", False, "docker")
    yield
    CONF.clear_override("inject_password", "docker")


def gathered(files: Any = None, password: str | None = None, **changes: Any) -> Inputs:
    """Return what is gathered of an instance."""
    it = instance(**changes)
    return translation.inputs(None, it, it.image_meta, files, password)


def test_an_ordinary_instance_hands_nothing_over() -> None:
    """User data alone change nothing in the container."""
    assert gathered(user_data=base64.b64encode(SCRIPT).decode()) == NOTHING


def test_user_data_are_decoded_for_the_image_that_wants_them() -> None:
    """The property is read from Nova's copy of the image's unknown properties."""
    found = gathered(
        user_data=base64.b64encode(SCRIPT).decode(),
        system_metadata={"image_docker_user_data": "run"},
    )
    assert found.user_data == UserData(UUID, SCRIPT)


def test_the_password_is_roots_or_the_named_users() -> None:
    """The image names it."""
    login = gathered(password="secret").login
    assert login
    assert login.user == "root"
    login = gathered(password="secret", system_metadata={"image_os_admin_user": "web"}).login
    assert login
    assert login.user == "web"


@pytest.mark.usefixtures("passwords_off")
def test_passwords_can_be_switched_off() -> None:
    """The config drive has them still, as a VM's."""
    assert gathered(password="secret").login is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"config_drive": "True"}, True),
        ({"config_drive": ""}, False),
        ({"system_metadata": {"image_img_config_drive": "mandatory"}}, True),
    ],
)
def test_a_config_drive_is_made_where_nova_wants_one(
    changes: dict[str, Any], expected: bool
) -> None:
    """The request asks for it, or the image."""
    assert bool(gathered(**changes).config_drive) is expected


def test_the_tree_has_files_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive is rendered when the ports are there, and not before."""
    rendered: list[Any] = []
    monkeypatch.setattr(metadata, "config_drive", lambda *told: rendered.append(told) or [])
    found = gathered([("/etc/motd", b"hello")], "secret", config_drive="True")
    assert not rendered
    assert found.config_drive
    found.config_drive(["ports"])
    ((_, ports, files, password),) = rendered
    assert (ports, files, password) == (["ports"], (("/etc/motd", b"hello"),), "secret")


def test_a_bad_path_is_refused_with_the_rest_unread() -> None:
    """Before anything is made."""
    with pytest.raises(PolicyRefused, match=r"'/a/\.\./b'"):
        gathered([("/a/../b", b"")])
