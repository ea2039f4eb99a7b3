# SPDX-License-Identifier: Apache-2.0
"""Saved images in Glance: uploaded as in the old days, fetched once, refused when unsound."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.cloud_site import Site, Tenant, until


def members(archive: bytes) -> dict[str, bytes]:
    """Return the files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def tar(files: dict[str, bytes]) -> bytes:
    """Return a tar of files."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def without_manifest(archive: bytes) -> bytes:
    """Return an archive without a manifest for the layers."""
    files = members(archive)
    del files["manifest.json"]
    return tar(files)


def with_another_layer(archive: bytes) -> bytes:
    """Return an archive with a layer of another digest than the image's.

    Nobody here has that one: the image's own layer the tenant has shown to this host, which
    then reads no bytes of it, whatever they are.
    """
    files = members(archive)
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files.pop(manifest["Config"]))
    config["rootfs"]["diff_ids"][0] = f"sha256:{hashlib.sha256(b'of nobody').hexdigest()}"
    content = json.dumps(config).encode()
    manifest["Config"] = f"{hashlib.sha256(content).hexdigest()}.json"
    files[manifest["Config"]] = content
    files[manifest["Layers"][0]] = tar({"etc/planted": b"not of this image"})
    files["manifest.json"] = json.dumps([manifest]).encode()
    return tar(files)


def new_style(archive: bytes) -> bytes:
    """Return an archive as engines from 25 on save it: an OCI layout with a manifest.json."""
    files = members(archive)
    (old,) = json.loads(files["manifest.json"])
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {
            "mediaType": f"application/vnd.oci.image.{media_type}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    config = blob(files[old["Config"]], "config.v1+json")
    layers = [blob(files[name], "layer.v1.tar") for name in old["Layers"]]
    manifest = {"schemaVersion": 2, "config": config, "layers": layers}
    index = {
        "schemaVersion": 2,
        "manifests": [blob(json.dumps(manifest).encode(), "manifest.v1+json")],
    }
    place = "blobs/sha256/{}".format
    docker_manifest = [
        {
            "Config": place(str(config["digest"])[7:]),
            "RepoTags": old["RepoTags"],
            "Layers": [place(str(layer["digest"])[7:]) for layer in layers],
        }
    ]
    return tar(
        {
            **blobs,
            "index.json": json.dumps(index).encode(),
            "manifest.json": json.dumps(docker_manifest).encode(),
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        }
    )


def client(site: Site, *argv: str) -> str:
    """Run one of OpenStack's command line clients as the tenant."""
    clouds = yaml.safe_load(site.layout.clouds_yaml.read_text())
    cloud = clouds["clouds"]["demo"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(
        [str(Path(sys.prefix) / "bin" / argv[0]), *argv[1:]],
        check=False,
        capture_output=True,
        text=True,
        env={
            **kept,
            "OS_REGION_NAME": cloud["region_name"],
            "OS_IDENTITY_API_VERSION": "3",
            **{f"OS_{name.upper()}": value for name, value in cloud["auth"].items()},
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loads(site: Site, image: str) -> int:
    """Return how often the engine was given an image."""
    return site.log("nova-compute").count(f"Loaded image {image} as ")


@pytest.mark.parametrize(
    "command", [("openstack", "image", "create"), ("glance", "image-create", "--name")]
)
def test_the_commands_of_the_old_days_upload_an_image(
    site: Site, tenant: Tenant, web_archive: Path, command: tuple[str, ...]
) -> None:
    """Both clients upload an archive of 'docker save'; the image is listed, shown, and boots."""
    name = f"by-{command[0]}"
    client(
        site,
        *command,
        name,
        "--container-format",
        "docker",
        "--disk-format",
        "raw",
        "--file",
        str(web_archive),
    )
    image = site.demo.image.find_image(name)
    tenant.images.append(image.id)
    assert name in client(site, "openstack", "image", "list", "-f", "value", "-c", "Name")
    shown = json.loads(client(site, "openstack", "image", "show", image.id, "-f", "json"))
    assert (shown["status"], shown["container_format"]) == ("active", "docker")
    assert shown["size"] == web_archive.stat().st_size
    tenant.boot(image.id)


def test_a_second_boot_fetches_nothing(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """The engine keeps an image: the next server of it boots without Glance."""
    image = tenant.upload(web_archive)
    for _ in range(2):
        tenant.boot(image)
    assert loads(site, image) == 1


def test_boots_at_the_same_time_fetch_once(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """Servers booted from a new image at the same time share a single fetch."""
    image = tenant.upload(web_archive)
    servers = [tenant.request(image) for _ in range(3)]
    for server in servers:
        site.wait(server, "ACTIVE")
    assert loads(site, image) == 1


def test_an_image_of_a_new_engine_boots(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """An archive of engines from 25 on, with an OCI layout inside, boots as well."""
    server = tenant.boot(tenant.upload(new_style(web_archive.read_bytes())))
    until(lambda: "serves HTTP" in site.console(server), "its process to run")


def test_an_image_can_be_named_like_another(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """Names inside an archive count for nothing: no image takes another's place in the engine."""
    first = tenant.upload(web_archive)
    files = members(web_archive.read_bytes())
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files[manifest["Config"]])
    config["config"]["Cmd"] = ["sleep", "600"]
    files[manifest["Config"]] = json.dumps(config).encode()
    named = json.dumps([manifest])
    digest = hashlib.sha256(files[manifest["Config"]]).hexdigest()
    files[f"{digest}.json"] = files.pop(manifest["Config"])
    files["manifest.json"] = named.replace(manifest["Config"], f"{digest}.json").encode()
    second = tenant.upload(tar(files))
    servers = tenant.boot(second), tenant.boot(first)
    commands = [site.run(server, "cat", "/proc/1/cmdline").split("\0")[0] for server in servers]
    assert commands == ["sleep", "/bin/sh"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda archive: archive[: len(archive) // 2], "not a sound"),
        (lambda _archive: b"This is no archive. " * 1000, "not a sound"),
        (lambda _archive: tar({"hello": b"world"}), "not a sound"),
        (without_manifest, "not a sound"),
        (with_another_layer, "not a sound"),
    ],
    ids=["cut off", "not a tar", "another tar", "no manifest", "wrong digest"],
)
def test_an_unsound_image_is_refused(
    site: Site,
    tenant: Tenant,
    web_archive: Path,
    spoil: Callable[[bytes], bytes],
    reason: str,
) -> None:
    """A server of an unsound image is in ERROR and says why; the engine keeps nothing of it."""
    before = {image["Id"] for image in site.engine.images(all=True)}
    image = tenant.upload(spoil(web_archive.read_bytes()))
    server = tenant.boot(image, status="ERROR")
    fault = site.fault(server)
    assert reason in fault
    assert image in fault
    assert {found["Id"] for found in site.engine.images(all=True)} == before
    tenant.delete(server)


def test_an_image_of_another_format_is_refused(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """A server of an image in another format is in ERROR, with the format in the fault."""
    image = tenant.upload(web_archive, container_format="ovf")
    server = tenant.boot(image, status="ERROR")
    assert "container format ovf" in site.fault(server)
    assert "--container-format docker" in site.fault(server)


@pytest.mark.parametrize("line", ["sh -c 'never closed", ""])
def test_an_unusable_command_line_is_refused(
    site: Site, tenant: Tenant, web_archive: Path, line: str
) -> None:
    """An os_command_line that cannot be run is told in the server's fault."""
    image = tenant.upload(web_archive, os_command_line=line)
    server = tenant.boot(image, status="ERROR")
    assert "os_command_line" in site.fault(server)
