# SPDX-License-Identifier: Apache-2.0
"""Every entry of the catalogue deployed, as its README says, and asked from outside."""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud_site import Site, page, until
from tests.support.cloud_stacks import EXAMPLES, Stacks

CATALOGUE = EXAMPLES / "catalogue"
PASSWORD = "correct-horse"
# Of the images that `upload` makes.
PREFIX = "catalogue-"
MQTT_ACCEPTED, MQTT_REFUSED = 0, 5


@pytest.fixture(scope="module")
def catalogue(site: Site) -> Iterator[Path]:
    """Catalogue with its images in Glance; added images are deleted at the end."""
    before = _images(site)
    try:
        made = subprocess.run(
            [sys.executable, CATALOGUE / "upload"], check=False, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        yield CATALOGUE
    finally:
        for image in _images(site) - before:
            site.admin.image.delete_image(image)


def _images(site: Site) -> set[str]:
    found = site.admin.image.images()
    return {image.id for image in found if image.name.startswith(PREFIX)}


def test_images_that_are_there_are_left_alone(site: Site, catalogue: Path) -> None:
    """A second upload makes no second image."""
    before = _images(site)
    again = subprocess.run(
        [sys.executable, catalogue / "upload", "nginx"], check=True, capture_output=True, text=True
    )
    assert again.stdout == "catalogue-nginx is there\n"
    assert _images(site) == before


def test_a_page(stacks: Stacks, catalogue: Path) -> None:
    """The application's page shows the values of the parameters."""
    stack = stacks.create(catalogue / "web/template.yaml", title="Bread", text="and butter")
    assert "<h1>Bread</h1><p>and butter" in page(_host(stacks.output(stack, "url")))
    stacks.delete(stack)


def test_pages_behind_a_balancer(stacks: Stacks, catalogue: Path) -> None:
    """A client sees both servers behind the balancer after some requests."""
    stack = stacks.create(catalogue / "balanced/template.yaml", title="Bread")
    host = _host(stacks.output(stack, "url"))
    seen: set[str] = set()

    def both() -> bool:
        seen.add(page(host).rpartition("-")[2].strip())
        return seen == {"0)", "1)"}

    until(both, "both servers to have answered")
    stacks.delete(stack)


def test_a_guest_book(stacks: Stacks, catalogue: Path) -> None:
    """The page counts in the database, of which only Heat knows the password."""
    stack = stacks.create(catalogue / "guestbook/template.yaml", title="Ada's")
    host = _host(stacks.output(stack, "url"))
    first = until(lambda: _guest(page(host)), "the database to answer")
    assert _guest(page(host)) == first + 1
    stacks.delete(stack)


def _guest(text: str) -> int:
    return int(text.split()[2].strip(",")) if text.startswith("Guest number") else 0


def test_a_database_asks_for_its_password(stacks: Stacks, catalogue: Path) -> None:
    """Redis answers from outside to who knows the password, and to nobody else."""
    template = catalogue / "redis/template.yaml"
    stack = stacks.create(template, password=PASSWORD, outside=True)
    address = _address(stacks.output(stack, "outside"))
    until(lambda: _redis(address, "wrong").startswith("-"), "Redis to refuse")
    assert _redis(address, PASSWORD) == "+OK\r\n+PONG\r\n"
    stacks.delete(stack)


def test_a_broker_asks_for_its_password(stacks: Stacks, catalogue: Path) -> None:
    """Mosquitto accepts from outside who knows the password, and nobody else."""
    template = catalogue / "broker/template.yaml"
    stack = stacks.create(template, user="ada", password=PASSWORD, outside=True)
    address = _address(stacks.output(stack, "outside"))
    until(lambda: _mqtt(address, "ada", "wrong") == MQTT_REFUSED, "Mosquitto to refuse")
    assert _mqtt(address, "ada", PASSWORD) == MQTT_ACCEPTED
    stacks.delete(stack)


def test_a_saved_image_becomes_an_application(
    site: Site, stacks: Stacks, exposing: Path, tmp_path: Path
) -> None:
    """A written entry of `add`, with the image uploaded as told, is an application that answers."""
    made = subprocess.run(
        [sys.executable, CATALOGUE / "add", "--into", tmp_path, "hello", exposing],
        check=True,
        capture_output=True,
        text=True,
    )
    before = _images(site)
    try:
        _type(site, made.stdout.partition("\n\n")[2].replace("\\\n", " "))
        stack = stacks.create(tmp_path / "hello/template.yaml", flavor="c1.nano", GREETING="servus")
        assert "Hello from" in page(stacks.output(stack, "address"))
        (server,) = stacks.servers(stack)
        assert "GREETING=servus" in site.run(server, "cat", "/proc/1/environ").split("\0")
        stacks.delete(stack)
    finally:
        for image in _images(site) - before:
            site.admin.image.delete_image(image)


@pytest.fixture
def exposing(site: Site, web_archive: Path, tmp_path: Path) -> Iterator[Path]:
    """Archive of `docker save` for an image with an exposed port and a variable."""
    engine, name = site.engine, "test/exposing"
    with web_archive.open("rb") as file:
        loaded = [line["stream"] for line in engine.load_image(file) if "stream" in line]
    tag = loaded[-1].removeprefix("Loaded image: ").strip()
    container = engine.create_container(tag)["Id"]
    try:
        engine.commit(container, name, changes=["EXPOSE 80", "ENV GREETING=hello"])
        archive = tmp_path / "hello.tar"
        with archive.open("wb") as file:
            file.writelines(engine.get_image(name))
        yield archive
    finally:
        engine.remove_container(container)
        for image in (name, tag):
            engine.remove_image(image)


def _type(site: Site, line: str) -> None:
    program, *words = shlex.split(line)
    told = {"OS_CLIENT_CONFIG_FILE": str(site.layout.clouds_yaml), "OS_CLOUD": "admin"}
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **told, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr


def _host(url: str) -> str:
    return url.partition("://")[2].strip("/")


def _address(url: str) -> tuple[str, int]:
    host, _, port = _host(url).partition(":")
    return host, int(port)


def _redis(address: tuple[str, int], password: str) -> str:
    return _asked(address, f"AUTH {password}\r\nPING\r\n".encode(), 12).decode()


def _mqtt(address: tuple[str, int], user: str, password: str) -> int | None:
    """Return a broker's return code for a CONNECT of MQTT 3.1.1."""
    name, level, clean_with_user_and_password, seconds = b"MQTT", b"\x04", b"\xc2", b"\x00\x3c"
    payload = b"".join(_counted(each) for each in (b"test", user.encode(), password.encode()))
    body = _counted(name) + level + clean_with_user_and_password + seconds + payload
    answer = _asked(address, b"\x10" + bytes([len(body)]) + body, 4)
    return answer[3] if len(answer) == 4 else None


def _counted(text: bytes) -> bytes:
    return len(text).to_bytes(2) + text


def _asked(address: tuple[str, int], request: bytes, length: int) -> bytes:
    """Return what is answered, at most so much; nothing where nobody listens yet."""
    answer = b""
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=3) as peer:
        peer.sendall(request)
        while len(answer) < length and (more := peer.recv(length - len(answer))):
            answer += more
    return answer
