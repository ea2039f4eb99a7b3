# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from novadocker.errors import ImageError, PolicyRefused
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec, refuse_root
from novadocker.virt.docker.engine import ContainerSpec, Image, Probe

GATE = ("/dev/.novadocker/gate", "/dev/.novadocker/open")
FLAVOR = Flavor(vcpus=1, memory_mib=64, root_gib=1)
SERVER = Server(
    uuid="5a1c", project="p1", host="h1", hostname="web-1", flavor=FLAVOR, image="glance-id"
)
IMAGE = Image(id="sha256:aa", entrypoint=("/entry",), command=("serve", "--now"))
SETTINGS = settings_for(FLAVOR, Abilities(disk_limit=False, pids=100))


def spec(server: Server = SERVER, image: Image = IMAGE) -> ContainerSpec:
    """Return the container of a server."""
    return container_spec(server, image, SETTINGS, {"/etc/hosts": "/i/5a1c/hosts"}, "8m")


@pytest.mark.parametrize(
    ("entrypoint", "command", "command_line", "expected"),
    [
        (("/entry",), ("serve",), None, ("/entry", "serve")),
        ((), ("/bin/sh",), None, ("/bin/sh",)),
        (("/entry",), (), None, ("/entry",)),
        (("/entry",), ("serve",), "other 'two words'", ("/entry", "other", "two words")),
        ((), (), "/bin/httpd -f", ("/bin/httpd", "-f")),
        (("/entry",), ("serve",), "", ("/entry",)),
    ],
)
def test_the_gate_runs_the_images_command(
    entrypoint: tuple[str, ...],
    command: tuple[str, ...],
    command_line: str | None,
    expected: tuple[str, ...],
) -> None:
    """ENTRYPOINT then CMD, as Docker joins them; os_command_line takes CMD's place."""
    image = Image(id="sha256:aa", entrypoint=entrypoint, command=command)
    made = spec(dataclasses.replace(SERVER, command_line=command_line), image)
    assert made.entrypoint == GATE
    assert made.command == expected


@pytest.mark.parametrize("command_line", [None, "", "   "])
def test_an_image_without_a_command_is_refused(command_line: str | None) -> None:
    """The message tells the tenant which property helps."""
    with pytest.raises(ImageError, match="os_command_line"):
        spec(dataclasses.replace(SERVER, command_line=command_line), Image(id="sha256:aa"))


def test_a_command_line_with_an_open_quote_is_refused() -> None:
    """The message holds the line itself."""
    with pytest.raises(PolicyRefused, match="echo 'open"):
        spec(dataclasses.replace(SERVER, command_line="echo 'open"))


def test_metadata_become_the_environment() -> None:
    """Server metadata are variables, values as they are."""
    made = spec(dataclasses.replace(SERVER, metadata={"A": "1=2 3", "b.c": ""}))
    assert made.body()["Env"] == ["A=1=2 3", "b.c="]


@pytest.mark.parametrize("key", ["A=B", "="])
def test_a_metadata_key_with_an_equals_sign_is_refused(key: str) -> None:
    """Such a key could set another variable than the named one."""
    with pytest.raises(PolicyRefused, match="server metadata key"):
        spec(dataclasses.replace(SERVER, metadata={key: "x"}))


def test_a_container_is_labelled_for_its_instance() -> None:
    """Labels tell instance, project, host and image; the name is the instance's."""
    made = spec()
    assert made.name == SERVER.container == "nova-5a1c"
    assert made.labels == {
        "novadocker.instance": "5a1c",
        "novadocker.project": "p1",
        "novadocker.host": "h1",
        "novadocker.image": "glance-id",
    }


PROBE = Probe(("/bin/check", "it"), interval=7.0, retries=2)


def test_a_container_whose_image_is_probed_is_labelled_for_it() -> None:
    """Labels keep the host for the health reports, and the probe itself."""
    labels = spec(image=dataclasses.replace(IMAGE, probe=PROBE)).labels
    assert labels["novadocker.health"] == "h1"
    assert Probe.read(labels["novadocker.probe"]) == PROBE


def test_the_engine_probes_no_container() -> None:
    """An engine's probe would run while the gate holds everything else of the image."""
    for image in (IMAGE, dataclasses.replace(IMAGE, probe=PROBE)):
        assert spec(image=image).body()["Healthcheck"] == {"Test": ["NONE"]}


def test_a_probe_too_long_for_a_label_is_refused() -> None:
    """Each event of the engine repeats the labels of its container."""
    long = dataclasses.replace(IMAGE, probe=Probe(("x" * 20000,)))
    with pytest.raises(PolicyRefused, match=r"HEALTHCHECK = \d+ bytes is refused"):
        spec(image=long)


def test_a_container_is_made_from_the_image_that_was_checked() -> None:
    """The container names the image by id: no tag can point elsewhere."""
    assert spec().body()["Image"] == "sha256:aa"


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [
        ("web-1", "web-1"),
        ("web-1.example.org", "web-1.example.org"),
        ("a" * 60 + ".example.org", "a" * 60),
        ("b" * 70, "b" * 64),
        ("é" * 32, "é" * 32),
        ("é" * 35, "é" * 32),
        ("aé" * 30, "aé" * 21 + "a"),
        ("東" * 22 + ".example.org", "東" * 21),
    ],
)
def test_a_name_too_long_for_the_kernel_is_shortened(hostname: str, expected: str) -> None:
    """A name is cut between letters: Nova allows 255 characters, Linux 64 bytes."""
    assert spec(dataclasses.replace(SERVER, hostname=hostname)).hostname == expected


PASSWD = "root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/srv:/bin/sh\n"
RESTRICTED = dataclasses.replace(SETTINGS, root=False, profile="restricted")


@pytest.mark.parametrize(
    ("user", "passwd"),
    [
        ("", None),
        ("root", None),
        ("0", None),
        ("000:1000", None),
        ("0:0", PASSWD),
        ("toor", PASSWD),  # nobody
        ("-0", PASSWD),
        ("toor", f"{PASSWD}toor:x:0:0::/:\n"),
        ("toor", f"{PASSWD}toor:x:00:0::/:\n"),
        ("web", f"web\n{PASSWD}"),
        ("web", f"web:x\n{PASSWD}"),
        ("web", f"  web:x:0:0::/:\n{PASSWD}"),
        ("web", f"web:x:\u0661:0::/:\n{PASSWD}"),
        ("web", f"{PASSWD}web:x:0:0::/:\n"),
        ("web", ""),
    ],
)
def test_root_is_refused_by_whatever_name(user: str, passwd: str | None) -> None:
    """As the engine reads users, or more strictly."""
    with pytest.raises(PolicyRefused, match=r"image's USER = .* under profile restricted"):
        refuse_root(RESTRICTED, user, passwd)


@pytest.mark.parametrize(
    ("user", "passwd"),
    [("web", None), ("web", PASSWD), ("web:0", PASSWD), ("1000", ""), ("9" * 5000, PASSWD)],
)
def test_others_than_root_are_let_be(user: str, passwd: str | None) -> None:
    """A name is believed until the container's own users are known."""
    refuse_root(RESTRICTED, user, passwd)


def test_root_is_let_be_where_the_profile_has_it() -> None:
    """Most images run as root, of their own user namespace."""
    refuse_root(SETTINGS, "", PASSWD)
