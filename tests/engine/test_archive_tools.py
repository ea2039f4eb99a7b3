# SPDX-License-Identifier: Apache-2.0
"""Archives that other tools write: each is accepted, loads, and is the image that it was."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from novadocker.archive import CheckedArchive, Platform
from novadocker.cloud.machine import packages
from novadocker.cloud.samples import busybox, programs
from novadocker.errors import ImageInvalid
from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.host.processor import platform_of_host
from tests.unit.archive.hostile_layers import SOUND
from tests.unit.archive.members import file

TOOLS = {name: name for name in ("buildah", "podman", "skopeo", "umoci")}
IMAGE = "5f0c1f3e-7b0d-4f8e-9d27-0d6f6b1f9a10"
TAG = f"nova/{IMAGE}:0123456789abcdef"
CMD = ["/bin/busybox", "cat", "/d/f"]
PIECE = 65536


class Workshop:
    """The tools, with a store of images of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = (
            "--root",
            str(directory / "store"),
            "--runroot",
            str(directory / "run"),
            "--storage-driver",
            "vfs",
        )

    def run(self, *command: str) -> str:
        """Run a program; return what it printed."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**os.environ, "TMPDIR": str(self.directory), "STORAGE_DRIVER": "vfs"},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def buildah(self, *arguments: str) -> str:
        """Run buildah."""
        return self.run("buildah", *self.store, *arguments).strip()

    def podman(self, *arguments: str) -> str:
        """Run podman."""
        return self.run("podman", *self.store, *arguments)

    def skopeo(self, *arguments: str) -> str:
        """Run skopeo."""
        return self.run("skopeo", "--insecure-policy", *arguments)

    def tar(self, layout: str, archive: str) -> None:
        """Pack a layout as a hand does."""
        self.run("tar", "-C", layout, "-cf", archive, ".")

    def archive(self, name: str) -> Path:
        """Return the archive of a name."""
        return self.directory / f"{name}.tar"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Every tool's archive of an image of two layers, with links and a whiteout in it."""
    packages.ensure(TOOLS)
    programs.ensure()
    shop = Workshop(tmp_path_factory.mktemp("tools"))
    program = shop.directory / "busybox"
    program.write_bytes(busybox.unpacked()[0])
    program.chmod(0o755)
    _build(shop)
    shop.podman("save", "--quiet", "--output", "podman-docker.tar", "made:upper")
    shop.podman(
        *("save", "--quiet", "--format", "oci-archive", "--output", "podman-oci.tar", "made:upper")
    )
    shop.buildah("push", "--quiet", "made:upper", "docker-archive:buildah-docker.tar:made:upper")
    shop.buildah("push", "--quiet", "made:upper", "oci-archive:buildah-oci.tar")
    saved = "docker-archive:podman-docker.tar"
    shop.skopeo("copy", "--quiet", saved, "oci:layout:x")
    shop.skopeo("copy", "--quiet", saved, "oci-archive:skopeo-oci.tar:x")
    shop.skopeo("copy", "--quiet", "oci:layout:x", "docker-archive:skopeo-docker.tar:x:y")
    shop.skopeo(
        "copy", "--quiet", "--dest-compress-format", "zstd", saved, "oci-archive:skopeo-zstd.tar"
    )
    shop.tar("layout", "layout.tar")
    _build_with_umoci(shop)
    shop.run("gzip", "--keep", "--fast", "podman-docker.tar")
    shop.archive("gzip").hardlink_to(shop.directory / "podman-docker.tar.gz")
    _list_of_platforms(shop)
    return shop


def _build(shop: Workshop) -> None:
    (shop.directory / "f").write_text("it works\n")
    container = shop.buildah("from", "--pull-never", "scratch")
    shop.buildah("copy", "--quiet", container, "busybox", "/bin/busybox")
    shop.buildah("copy", "--quiet", container, "f", "/gone/f")
    shop.buildah("commit", "--quiet", container, "made:lower")
    container = shop.buildah("from", "--pull-never", "made:lower")
    root = Path(shop.buildah("mount", container))
    (root / "bin/sh").hardlink_to(root / "bin/busybox")
    (root / "link").symlink_to("/bin/busybox")
    shutil.rmtree(root / "gone")
    (root / "d").mkdir()
    (root / "d/f").write_text("it works\n")
    shop.buildah("umount", container)
    shop.buildah("config", "--cmd", " ".join(CMD), "--env", "A=b", container)
    shop.buildah("commit", "--quiet", container, "made:upper")


def _build_with_umoci(shop: Workshop) -> None:
    shop.run("umoci", "init", "--layout", "umoci")
    image = ("--image", "umoci:x")
    shop.run("umoci", "new", *image)
    shop.run("umoci", "insert", *image, "busybox", "/bin/busybox")
    shop.run("umoci", "insert", *image, "f", "/gone/f")
    shop.run("umoci", "insert", *image, "f", "/d/f")
    shop.run("umoci", "insert", *image, "--whiteout", "/gone")
    shop.run("umoci", "config", *image, *(word for each in CMD for word in ("--config.cmd", each)))
    shop.tar("umoci", "umoci.tar")


def _list_of_platforms(shop: Workshop) -> None:
    shop.buildah("manifest", "create", "list", "made:upper")
    for architecture, variant in (("arm64", "v8"), ("arm", "v7"), ("s390x", "")):
        container = shop.buildah("from", "--pull-never", "made:lower")
        shop.buildah("config", "--arch", architecture, "--variant", variant, container)
        shop.buildah("commit", "--quiet", container, f"made:{architecture}")
        shop.buildah("manifest", "add", "list", f"made:{architecture}")
    shop.buildah("manifest", "push", "--quiet", "--all", "list", "oci-archive:platforms.tar")


@pytest.fixture
def client(engine_socket: Path) -> Iterator[docker.DockerClient]:
    """A client of the session's engine; our image is gone afterwards."""
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{engine_socket}")) as client:
        yield client
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(TAG, force=True)


def checked(path: Path, platform: Platform | None = None) -> CheckedArchive:
    """Return the archive in a file, checked as it is read."""

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(PIECE), b"")

    platform = platform or platform_of_host()
    return CheckedArchive(chunks(), image=IMAGE, tag=TAG, platform=platform, again=chunks)


# Where skopeo finds the same image; it does not read an archive in gzip.
ARCHIVES = {
    "podman-docker": "docker-archive:podman-docker.tar",
    "podman-oci": "oci-archive:podman-oci.tar",
    "buildah-docker": "docker-archive:buildah-docker.tar",
    "buildah-oci": "oci-archive:buildah-oci.tar",
    "skopeo-docker": "docker-archive:skopeo-docker.tar",
    "skopeo-oci": "oci-archive:skopeo-oci.tar",
    "skopeo-zstd": "oci-archive:skopeo-zstd.tar",
    "layout": "oci-archive:layout.tar",
    "umoci": "oci-archive:umoci.tar",
    "gzip": "docker-archive:podman-docker.tar",
    "platforms": "oci-archive:platforms.tar",
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_tools_write_is_loaded(
    workshop: Workshop, client: docker.DockerClient, engine_socket: Path, name: str
) -> None:
    """The engine has the image under the id that the tool itself gives it, and it runs."""
    archive = checked(workshop.archive(name))
    Engine(Connection(f"unix://{engine_socket}")).load_image(archive)
    assert client.images.get(TAG).id == archive.saved_image.id
    config = workshop.skopeo("inspect", "--config", "--raw", ARCHIVES[name])
    assert archive.saved_image.id == f"sha256:{hashlib.sha256(config.encode()).hexdigest()}"
    said = client.containers.run(TAG, network_disabled=True, remove=True)
    assert said == b"it works\n"


@pytest.mark.parametrize(
    ("platform", "architecture"),
    [
        (Platform("arm64"), '"arm64"'),
        (Platform("arm", variant="v7"), '"arm"'),
        (Platform("s390x"), '"s390x"'),
    ],
)
def test_each_host_takes_its_own_of_several_platforms(
    workshop: Workshop, platform: Platform, architecture: str
) -> None:
    """As buildah writes a list of them."""
    archive = checked(workshop.archive("platforms"), platform)
    assert b"".join(archive)
    assert architecture.encode() in archive.saved_image.config


def test_a_host_of_none_of_them_is_told_which_there_are(workshop: Workshop) -> None:
    """A platform that is not among them is refused."""
    with pytest.raises(ImageInvalid, match=r"'linux/arm/v7', 'linux/arm64/v8'.* linux/riscv64"):
        list(checked(workshop.archive("platforms"), Platform("riscv64")))


def saved(layer: bytes) -> bytes:
    """Return an archive as docker save writes it, of an image of one layer."""
    diff_id = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = {
        "architecture": platform_of_host().architecture,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    manifest = [{"Config": "config.json", "Layers": ["layer.tar"]}]
    parts = {"layer.tar": layer, "config.json": config, "manifest.json": manifest}
    return b"".join(
        file(name, part if isinstance(part, bytes) else json.dumps(part).encode())
        for name, part in parts.items()
    ) + bytes(1024)


@pytest.mark.parametrize("name", SOUND.keys() - {"nothing"})
def test_every_kind_of_layer_that_is_accepted_is_unpacked(
    client: docker.DockerClient, engine_socket: Path, name: str
) -> None:
    """What the checker lets through is what an engine can make an image of."""
    archive = CheckedArchive(
        [saved(SOUND[name] + bytes(1024))], image=IMAGE, tag=TAG, platform=platform_of_host()
    )
    Engine(Connection(f"unix://{engine_socket}")).load_image(archive)
    assert client.images.get(TAG).id == archive.saved_image.id


@pytest.mark.parametrize(
    "convert",
    [
        lambda shop, archive: shop.podman("load", "--quiet", "--input", archive),
        lambda shop, archive: shop.skopeo(
            "copy", "--quiet", f"docker-archive:{archive}", "oci:again:x"
        ),
    ],
)
def test_what_comes_out_is_an_archive_for_other_tools(
    workshop: Workshop, convert: Callable[[Workshop, str], str]
) -> None:
    """What the checker gives is what docker save would: others read it, too."""
    (workshop.directory / "clean.tar").write_bytes(b"".join(checked(workshop.archive("umoci"))))
    convert(workshop, "clean.tar")
