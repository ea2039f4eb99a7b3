# SPDX-License-Identifier: Apache-2.0
"""The tenant's commands beside real engines and a real registry; no cloud is asked."""

import contextlib
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from novadocker.archive import Platform
from novadocker.client import archives, engine, properties, registry
from novadocker.client.errors import NoEngine, NoWayToRegistry, OriginUnreadable
from novadocker.client.examination import Examination, Examined
from novadocker.client.origin import Reference, parse
from novadocker.cloud.machine import packages
from novadocker.cloud.samples import CACHE, WEB, programs
from tests.support.openstack_client import openstack

PROGRAMS = {"docker-registry": "docker-registry", "skopeo": "skopeo"}
NAME = "novadocker-test/web:1"
HOST = properties.platform(None)


@pytest.fixture(scope="module")
def web_archive(engine_socket: Path) -> Path:
    """What ``docker save`` writes of a sample."""
    programs.ensure()
    return WEB.saved(CACHE, f"unix://{engine_socket}")


@pytest.fixture(scope="module")
def api(engine_socket: Path) -> Iterator[Any]:
    """The test's own view of the engine."""
    client = docker.APIClient(base_url=f"unix://{engine_socket}", version="auto", timeout=60)
    with contextlib.closing(client):
        yield client


@pytest.fixture(scope="module")
def image(api: Any, web_archive: Path) -> Iterator[str]:
    """The id of the sample, which the engine has under a name."""
    (line,) = (line["stream"] for line in api.load_image(web_archive.read_bytes()))
    loaded = line.split()[-1]
    api.tag(loaded, *NAME.split(":"))
    made = api.inspect_image(NAME)["Id"]
    api.remove_image(loaded, noprune=True)
    yield str(made)
    for tag in api.inspect_image(made)["RepoTags"]:
        api.remove_image(tag)


@pytest.fixture
def docker_host(monkeypatch: pytest.MonkeyPatch, engine_socket: Path) -> None:
    """As a tenant's environment has it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine_socket}")


@pytest.fixture
def no_docker_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No engine is at hand."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.fixture(scope="module")
def registry_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry on loopback."""
    packages.ensure(PROGRAMS)
    root = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(root / "data")}},
        "http": {"addr": address},
    }
    path = root / "config.yml"
    path.write_text(json.dumps(configuration))
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(path)], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/v2/"):
            return
        time.sleep(0.05)
    pytest.fail("the registry does not answer")


@pytest.fixture(scope="module")
def pushed(registry_address: str, api: Any, image: str) -> str:
    """The sample's name in the registry, which alone has it under that name."""
    name = f"{registry_address}/team/web"
    api.tag(image, name, "2")
    answer = list(api.push(name, "2", stream=True, decode=True))
    assert not [line for line in answer if "error" in line], answer
    api.remove_image(f"{name}:2")
    return f"{name}:2"


def examined(word: str, platform: Platform = HOST) -> tuple[type, Examined]:
    """Open what a word names, and examine it."""
    with archives.opened(parse(word), platform) as archive:
        examination = Examination(
            archive.chunks(), again=archive.again, what=word, platform=platform
        )
        return type(archive), examination.run()


@pytest.mark.usefixtures("docker_host")
@pytest.mark.parametrize("name", [NAME, ""])
def test_an_image_of_an_engine_is_read(image: str, name: str) -> None:
    """By its name or its id; what comes is that very image."""
    kind, found = examined(f"docker://{name or image}")
    assert (kind, found.image.id) == (archives.StreamArchive, image)
    assert found.index is not None


@pytest.mark.usefixtures("docker_host", "image")
def test_an_image_that_the_engine_has_not_is_told() -> None:
    """And what would help."""
    with pytest.raises(OriginUnreadable, match="has no image missing:1; 'docker pull' it first"):
        examined("docker://missing:1")


@pytest.mark.usefixtures("no_docker_host")
def test_without_an_engine_its_images_cannot_be_read() -> None:
    """In one line that names DOCKER_HOST."""
    with pytest.raises(NoEngine, match="DOCKER_HOST"):
        examined("docker://web")


@pytest.mark.usefixtures("docker_host")
def test_an_image_of_a_registry_is_pulled_by_the_engine(api: Any, image: str, pushed: str) -> None:
    """Where one is at hand."""
    kind, found = examined(f"docker://{pushed}")
    assert (kind, found.image.id) == (archives.StreamArchive, image)
    api.remove_image(pushed)


@pytest.mark.usefixtures("no_docker_host")
def test_an_image_of_a_registry_is_fetched_by_skopeo(image: str, pushed: str) -> None:
    """Where no engine is; it is the same image, with the same id."""
    kind, found = examined(f"docker://{pushed}")
    assert (kind, found.image.id) == (archives.FileArchive, image)
    assert found.index is not None


def test_what_a_registry_has_not_is_told(
    monkeypatch: pytest.MonkeyPatch, engine_socket: Path, registry_address: str
) -> None:
    """In one line, whoever asked it."""
    for host in (f"unix://{engine_socket}", "unix:///none.sock"):
        monkeypatch.setenv("DOCKER_HOST", host)
        with pytest.raises(OriginUnreadable, match="unknown") as refused:
            examined(f"docker://{registry_address}/team/none:1")
        assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("no_docker_host")
def test_without_engine_and_skopeo_a_registry_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are named."""
    monkeypatch.setattr(registry, "is_installed", lambda: False)
    with pytest.raises(NoWayToRegistry, match="skopeo is not installed"):
        examined("docker://registry.example/web")


@pytest.mark.usefixtures("docker_host")
def test_a_wrong_architecture_of_a_registry_is_refused(pushed: str) -> None:
    """By the engine, which finds no such variant, or by us."""
    with pytest.raises(Exception, match=r"arm64|platform|amd64"):
        examined(f"docker://{pushed}", Platform("arm64"))


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_is_saved_of_any_form_loads(
    api: Any, web_archive: Path, image: str, tmp_path: Path, form: str
) -> None:
    """Whatever tool wrote it; under the name that it is given, and no other."""
    packages.ensure(PROGRAMS)
    path = tmp_path / "copy.tar"
    subprocess.run(
        ["skopeo", "copy", "--quiet", f"docker-archive:{web_archive}", f"{form}:{path}:a/b:1"],
        check=True,
        capture_output=True,
    )
    clean = Examination([path.read_bytes()], again=list, what="x", platform=HOST, tag="saved/web:3")
    answer = list(api.load_image(b"".join(clean)))
    assert not [line for line in answer if "error" in line], answer
    loaded = api.inspect_image("saved/web:3")
    assert loaded["Id"] == clean.result.image.id
    assert loaded["RootFS"] == api.inspect_image(image)["RootFS"]
    assert not api.images(name="a/b")
    api.remove_image("saved/web:3")


@pytest.mark.usefixtures("docker_host")
def test_check_tells_what_an_archive_is(web_archive: Path, image: str) -> None:
    """From a file, a pipe or an engine, and without any cloud."""
    expected = {"docker_id": image, "platform": str(HOST), "layers": 1}
    for word in (str(web_archive), "-", f"docker://{NAME}"):
        checked = openstack(
            "docker", "image", "check", word, "-f", "json", stdin=web_archive.read_bytes()
        )
        assert checked.result.items() >= expected.items()
        assert checked.errors == ""


@pytest.mark.usefixtures("docker_host", "image")
def test_check_names_the_fault_in_one_line(web_archive: Path, tmp_path: Path) -> None:
    """With exit code 1, and never a traceback."""
    data = web_archive.read_bytes()
    bad = tmp_path / "bad.tar"
    bad.write_bytes(data[: len(data) // 2])
    for words, reason in (
        ((str(bad),), "cut off"),
        (("-",), "not a tar archive"),
        ((str(tmp_path / "none.tar"),), "No such file"),
        ((str(tmp_path),), "Is a directory"),
        (("docker://none",), "no image none"),
        ((str(web_archive), "--platform", "linux/s390x"), "linux/s390x is wanted"),
        ((str(web_archive), "--platform", "s390x"), r"OS/ARCHITECTURE"),
    ):
        checked = openstack("docker", "image", "check", *words, stdin=b"no archive" * 1000)
        assert (checked.code, checked.output) == (1, b"")
        assert reason in checked.errors
        assert checked.errors.count("\n") == 1


def test_the_engine_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch, engine_socket: Path
) -> None:
    """That which docker's own commands would ask."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine_socket}")
    with engine.connected(Reference("x")) as api:
        assert str(engine_socket) in api.base_url or "docker" in api.base_url
        assert api.info()["DockerRootDir"].startswith(str(engine_socket.parent.parent))
