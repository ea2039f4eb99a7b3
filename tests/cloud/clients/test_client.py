# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image ...`` as a tenant uses it: in, looked at, booted, and out again."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from novadocker.client import properties
from novadocker.client.archives import StreamArchive
from novadocker.client.glance import Glance
from novadocker.client.importing import Importer, Wanted
from novadocker.client.origin import StandardInput
from novadocker.client.progress import Progress
from tests.support.cloud_site import Site, Tenant, until
from tests.support.openstack_client import Outcome, openstack

PROPERTIES = {"architecture": "x86_64", "hypervisor_type": "docker", "os_type": "linux"}


@pytest.fixture(scope="module")
def environment(site: Site) -> dict[str, str]:
    """Environment of a tenant's shell, with the cloud's engine at hand."""
    return {
        "OS_CLIENT_CONFIG_FILE": str(site.layout.clouds_yaml),
        "OS_CLOUD": "demo",
        "DOCKER_HOST": site.host.engine.url,
    }


@pytest.fixture(scope="module")
def images(site: Site) -> Iterator[set[str]]:
    """Ids of all images; this file's own images are deleted in the end."""
    before = {image.id for image in site.demo.image.images()}
    yield before
    for image in site.demo.image.images():
        if image.id not in before:
            site.demo.image.update_image(image, is_protected=False)
            site.demo.image.delete_image(image)


@pytest.fixture(scope="module")
def imported(environment: dict[str, str], images: set[str], web_archive: Path) -> dict[str, Any]:
    """Answer of ``import`` for an image from a file."""
    words = ("docker", "image", "import", str(web_archive), "-f", "json")
    options = ("--name", "client-web", "--property", "colour=green", "--tag", "mine")
    result: dict[str, Any] = openstack(*words, *options, **environment).result
    return result


def left(site: Site, before: set[str]) -> list[str]:
    """Return what images have been added."""
    return sorted(str(image.name) for image in site.demo.image.images() if image.id not in before)


def fault(outcome: Outcome) -> str:
    """Return the line with the reason of a command's failure."""
    assert (outcome.code, outcome.output) == (1, b"")
    assert outcome.errors.count("\n") == 1, outcome.errors
    return outcome.errors


def test_the_ordinary_client_shows_what_was_imported(
    environment: dict[str, str], imported: dict[str, Any], web_archive: Path
) -> None:
    """With the formats and properties that hosts and scheduler look for."""
    shown = openstack("image", "show", imported["id"], "-f", "json", **environment).result
    assert (shown["container_format"], shown["disk_format"]) == ("docker", "raw")
    assert (shown["min_disk"], shown["tags"]) == (1, ["mine"])
    assert shown["size"] == web_archive.stat().st_size
    expected = {**PROPERTIES, "colour": "green"}
    assert shown["properties"].items() >= expected.items()
    assert imported["properties"] == expected
    assert json.loads(shown["properties"]["docker_index"])["size"] == shown["size"]


def test_an_imported_image_boots_on_container_hosts_only(
    site: Site, tenant: Tenant, imported: dict[str, Any], web_archive: Path
) -> None:
    """The scheduler reads the type of hypervisor: another one than docker finds no host here."""
    server = tenant.boot(imported["id"])
    until(lambda: "serves HTTP" in site.console(server), "its process to run")
    other = tenant.upload(web_archive, hypervisor_type="qemu")
    assert "No valid host" in site.fault(tenant.boot(other, status="ERROR"))
    assert "ImagePropertiesFilter" in site.log("nova-scheduler")


def test_inspect_reads_little_and_knows_who_shares(
    site: Site,
    environment: dict[str, str],
    imported: dict[str, Any],
    images: set[str],
    tenant: Tenant,
    web_archive: Path,
) -> None:
    """Of a stored image the config only; a layer that another visible image has is named."""
    tenant.upload(web_archive)  # without an index: nothing to compare with
    twin = openstack(
        "docker",
        "image",
        "import",
        "-",
        "--name",
        "client-twin",
        "-f",
        "json",
        "--property",
        "colour=blue",
        "--protected",
        stdin=web_archive.read_bytes(),
        **environment,
    ).result
    assert twin["properties"] == {**PROPERTIES, "colour": "blue"}
    assert twin["min_disk"] == 1
    assert twin["docker_id"] == imported["docker_id"]
    words = ("docker", "image", "inspect", "client-web", "-f", "json")
    found = openstack(*words, **environment).result
    assert found["command"] == ["/bin/serve"]
    assert found["docker_id"] == imported["docker_id"]
    (layer,) = found["layers"]
    assert layer["also_in"] == ["client-twin"]
    assert found["shared"] == found["unpacked"] == layer["unpacked"]
    assert openstack(*words, "--check", **environment).result == found
    table = openstack(*words[:-2], **environment).text
    assert "(also in client-twin)" in table
    site.demo.image.update_image(twin["id"], is_protected=False)
    site.demo.image.delete_image(twin["id"])


def test_an_image_comes_out_as_it_went_in(
    site: Site, environment: dict[str, str], imported: dict[str, Any], tmp_path: Path
) -> None:
    """As an archive that Docker loads under the image's name, in a file or through a pipe."""
    path = tmp_path / "saved.tar"
    words = ("docker", "image", "save", "client-web")
    assert openstack(*words, "--file", str(path), **environment) == Outcome(0, b"", "")
    assert list(tmp_path.iterdir()) == [path]
    piped = openstack(*words, **environment)
    assert piped.output == path.read_bytes()
    assert not [line for line in site.engine.load_image(piped.output) if "error" in line]
    try:
        assert site.engine.inspect_image("client-web:latest")["Id"] == imported["docker_id"]
        from_engine = ("docker", "image", "import", "docker://client-web", "-f", "json")
        again = openstack(*from_engine, **environment).result
        assert (again["name"], again["docker_id"]) == ("client-web", imported["docker_id"])
        assert "Several images" in fault(openstack(*words, **environment))
        site.demo.image.delete_image(again["id"])
    finally:
        site.engine.remove_image("client-web:latest")


def test_what_cannot_be_imported_leaves_nothing(
    site: Site,
    environment: dict[str, str],
    imported: dict[str, Any],
    images: set[str],
    web_archive: Path,
    tmp_path: Path,
) -> None:
    """A bad archive, a bad pipe, a wish that Glance refuses: one line, and no image."""
    data = web_archive.read_bytes()
    bad = tmp_path / "bad.tar"
    bad.write_bytes(data[: len(data) // 2])
    good = str(web_archive)
    before = left(site, images)
    for words, stdin, reason in (
        ((str(bad),), b"", "cut off"),
        (("-", "--name", "x"), data[: len(data) // 2], "cut off"),
        (("-", "--name", "x"), data[:-1024] + b"x" * 1024, "no sound header"),
        (("-",), data, "--name"),
        ((good, "--platform", "linux/arm64"), b"", "linux/arm64 is wanted"),
        ((good, "--public"), b"", "not authorized"),
        ((good, "--property", "size=1"), b"", "Glance's own"),
        (("docker://missing",), b"", "no image missing"),
    ):
        refused = openstack("docker", "image", "import", *words, stdin=stdin, **environment)
        assert reason in fault(refused)
    assert left(site, images) == before


def test_a_broken_off_import_leaves_nothing(
    site: Site,
    environment: dict[str, str],
    imported: dict[str, Any],
    images: set[str],
    web_archive: Path,
) -> None:
    """Ctrl-C in the middle of the upload, seen from outside."""
    before = left(site, images)
    client = Path(sys.executable).parent / "openstack"
    with subprocess.Popen(
        [client, "docker", "image", "import", "-", "--name", "client-broken"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdin
        process.stdin.write(web_archive.read_bytes()[: 1024 * 1024 + 100])
        process.stdin.flush()
        until(lambda: "client-broken" in left(site, images), "the upload to begin")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert left(site, images) == before


def test_an_upload_that_breaks_leaves_nothing(
    site: Site, imported: dict[str, Any], images: set[str], web_archive: Path
) -> None:
    """The source's own error reaches the user unchanged."""
    before = left(site, images)
    data = web_archive.read_bytes()

    def breaking() -> Iterator[bytes]:
        yield data[:100_000]
        raise RuntimeError("the source broke")

    importer = Importer(Glance(site.demo.image), Progress(wanted=False))
    with pytest.raises(RuntimeError, match="the source broke"):
        importer.run(
            StreamArchive(breaking(), StandardInput()),
            Wanted("client-x", properties.platform(None)),
        )
    assert left(site, images) == before


def test_only_container_images_are_saved_and_inspected(
    environment: dict[str, str], tenant: Tenant, imported: dict[str, Any], tmp_path: Path
) -> None:
    """An image of a VM, a broken image of a container, and a missing image are told apart."""
    bare = tenant.upload(b"a disk", container_format="bare")
    bad = io.BytesIO()
    with tarfile.open(fileobj=bad, mode="w"):
        pass
    unsound = tenant.upload(bad.getvalue())
    for command in (("save", "--file", str(tmp_path / "x.tar")), ("inspect",)):
        for image, reason in (
            (bare, "not docker"),
            (unsound, "not a sound"),
            ("missing", "no image missing"),
        ):
            refused = openstack("docker", "image", *command, image, **environment)
            assert reason in fault(refused)
    assert list(tmp_path.iterdir()) == []
