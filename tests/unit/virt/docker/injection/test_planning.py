# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.container.accounts import Login, TextFile
from novadocker.virt.docker.injection.files import personality
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs
from novadocker.virt.docker.injection.planning import Plan, plan
from novadocker.virt.docker.injection.user_data import PROGRAM, UserData

PASSWD = TextFile("/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/srv/web:/bin/sh\n")
SHADOW = TextFile("/etc/shadow", "web:!:19000:0:99999:7:::\n", 0o640, 42)
SCRIPT = b"#!/bin/sh\n"
LOGIN = Login("web", "$6$hash")


def planned(user: str = "web", shadow: TextFile = SHADOW, **inputs: object) -> Plan:
    """Return the plan of a few inputs for a user of the image."""
    return plan(Inputs(**inputs), user, PASSWD, shadow)  # type: ignore[arg-type]


def test_a_server_without_inputs_gets_no_file() -> None:
    """A plan of nothing is empty."""
    assert plan(NOTHING, "", PASSWD, SHADOW) == Plan()


def test_a_config_drive_is_linked_from_where_programs_look() -> None:
    """Links lead to the drive from its own place and from cloud-init's seed."""
    own = planned(config_drive=lambda _: []).own
    assert {each.path for each in own} == {"config-drive", "var/lib/cloud/seed/config_drive"}
    assert {each.target for each in own} == {"/dev/.novadocker/config-drive"}


def test_the_user_of_the_command_owns_the_mark_of_its_user_data() -> None:
    """The directory of the mark belongs to the user who runs the script."""
    (mark,) = planned(user_data=UserData("i-1", SCRIPT)).own
    assert (mark.path, mark.uid) == ("var/lib/cloud/instances/i-1/sem", 1000)


@pytest.mark.parametrize(
    ("content", "names"),
    [(SCRIPT, [PROGRAM.name, "user-data"]), (b"#cloud-config\n", [PROGRAM.name])],
)
def test_the_program_and_a_script_lie_beside_the_gate(content: bytes, names: list[str]) -> None:
    """The program is there for user data of any kind, to say so of user data without a script."""
    gate = planned(user_data=UserData("i-1", content)).gate
    assert [each.name for each in gate] == names
    assert {each.mode for each in gate} == {0o755}


def test_a_key_goes_to_the_users_home() -> None:
    """The key's file and directory belong to the user."""
    logins = planned(public_key="ssh-ed25519 AAAA").logins
    assert [each.path for each in logins] == ["srv/web/.ssh", "srv/web/.ssh/authorized_keys"]
    assert {(each.uid, each.gid) for each in logins} == {(1000, 1001)}


def test_a_password_goes_into_the_file_behind_the_link() -> None:
    """The list of passwords keeps its path, mode and group where /etc/shadow is a link."""
    behind = TextFile("/nix/store/1/shadow", SHADOW.text, 0o640, 42)
    (entry,) = planned(shadow=behind, login=LOGIN).logins
    assert (entry.path, entry.mode, entry.gid) == ("nix/store/1/shadow", 0o640, 42)
    assert entry.content.startswith(b"web:$6$hash:")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"public_key": "ssh-ed25519 AAAA", "user": "4711"}, "user 4711 has no home"),
        ({"login": Login("root", "h")}, "user root is not in /etc/shadow"),
    ],
)
def test_a_login_without_a_place_is_a_remark(inputs: dict[str, object], said: str) -> None:
    """An image without the user costs its tenant a login, and no server."""
    found = planned(**inputs)  # type: ignore[arg-type]
    assert found.logins == ()
    assert said in "".join(found.missing)


def test_a_read_only_container_gets_files_beside_the_gate_alone() -> None:
    """Nobody writes into a read-only root, the engine included; a lost login is a remark."""
    inputs = Inputs(public_key="ssh-ed25519 AAAA", config_drive=lambda _: [])
    found = plan(inputs, "", PASSWD, SHADOW, read_only=True)
    assert found == Plan(missing=("its root file system is read-only",))


def test_a_tenants_files_are_planned_in_their_order() -> None:
    """Personality files stay apart, since their failure is the request's."""
    files = personality([("/b", b"1"), ("/a", b"2")])
    assert planned(files=files) == Plan(personality=files)
