# SPDX-License-Identifier: Apache-2.0
"""A part of the cloud fails while a server boots: a clear fault, nothing left, others unharmed."""

import hashlib
import io
import json
import os
import signal
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

BIG = 400 * 1024 * 1024
# By this much of it in the engine's scratch directory, its load is under way.
BEGUN = 20 * 1024 * 1024


@pytest.fixture
def neighbour(site: Site, standing: str, standing_address: str) -> Iterator[str]:
    """Another server, whose process and network must not notice anything."""
    pid = site.container(standing)["State"]["Pid"]
    page(standing_address)
    yield standing
    assert site.container(standing)["State"]["Pid"] == pid
    assert site.server(standing).status == "ACTIVE"
    page(standing_address)


@pytest.fixture
def big(tenant: Tenant, web_archive: Path, tmp_path: Path) -> str:
    """An image that takes seconds to load."""
    archive = tmp_path / "big.tar"
    grow(web_archive, archive)
    return tenant.upload(archive)


def grow(small: Path, big: Path) -> None:
    """Write an image with a further layer of random bytes."""
    layer = big.with_name("layer.tar")
    with tarfile.open(layer, "w") as tar:
        member = tarfile.TarInfo("big")
        member.size = BIG
        with Path("/dev/urandom").open("rb") as noise:
            tar.addfile(member, noise)
    with layer.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    with tarfile.open(small) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files.pop(manifest["Config"]))
    config["rootfs"]["diff_ids"].append(f"sha256:{digest}")
    config.pop("history", None)
    manifest["Layers"].append("big/layer.tar")
    text = json.dumps(config).encode()
    manifest["Config"] = f"{hashlib.sha256(text).hexdigest()}.json"
    files[manifest["Config"]] = text
    files["manifest.json"] = json.dumps([manifest]).encode()
    with tarfile.open(big, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        tar.add(layer, "big/layer.tar")
    layer.unlink()


def loaded_bytes(site: Site) -> int:
    """Return how much of an image the engine has in its scratch directory."""
    total = 0
    for path in site.host.engine.data.rglob("tmp/docker-import-*/**/*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Hold a process still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def impatient(site: Site) -> Iterator[None]:
    """A nova-compute that waits for Neutron's news of a port for a few seconds only."""
    with site.configured("nova-compute", "vif_plugging_timeout = 5"):
        yield


def fails(site: Site, tenant: Tenant, server: str) -> str:
    """Wait for a server's ERROR, look for leftovers, and return the fault."""
    until(lambda: site.server(server).status != "BUILD", "the build to fail", 150)
    site.wait(server, "ERROR")
    fault = site.fault(server)
    tenant.delete(server)
    return fault


def test_an_engine_that_is_down(
    site: Site, tenant: Tenant, web: str, standing: str, standing_address: str
) -> None:
    """A boot without an engine fails; after the engine's return the next boot works."""
    pid = site.container(standing)["State"]["Pid"]
    site.stop("dockerd")
    try:
        server = tenant.request(web)
        until(lambda: site.server(server).status == "ERROR", "the build to fail", 150)
        assert "Docker Engine" in site.fault(server)
        page(standing_address)
    finally:
        site.start("dockerd")
    tenant.delete(server)
    assert site.container(standing)["State"]["Pid"] == pid
    tenant.boot(web)


def test_an_engine_that_dies_in_the_middle_of_a_load(
    site: Site, tenant: Tenant, big: str, neighbour: str
) -> None:
    """An engine killed during the load of an image fails the boot; the next boot works."""
    server = tenant.request(big, flavor="c1.small")
    until(lambda: loaded_bytes(site) > BEGUN, "the load to begin")
    dead = site.pid("dockerd")
    os.kill(dead, signal.SIGKILL)
    until(lambda: site.pid("dockerd") not in (0, dead), "the supervisor to start the engine")
    site.start("dockerd")
    assert "Docker Engine" in fails(site, tenant, server)
    tenant.boot(big, flavor="c1.small")


def test_glance_breaking_off_in_the_middle_of_an_image(
    site: Site, tenant: Tenant, big: str, neighbour: str
) -> None:
    """A Glance killed during the transfer of an image fails the boot; the next boot works."""
    before = {image["Id"] for image in site.engine.images(all=True)}
    server = tenant.request(big, flavor="c1.small")
    until(lambda: loaded_bytes(site) > BEGUN, "the load to begin")
    dead = site.pid("glance")
    os.kill(dead, signal.SIGKILL)
    until(lambda: site.pid("glance") not in (0, dead), "the supervisor to start Glance")
    site.start("glance")
    assert "could not be fetched from Glance" in fails(site, tenant, server)
    assert {image["Id"] for image in site.engine.images(all=True)} == before
    tenant.boot(big, flavor="c1.small")


def test_neutron_never_telling_of_a_port(
    site: Site, tenant: Tenant, web: str, neighbour: str, impatient: None
) -> None:
    """A port that never comes up fails the boot after vif_plugging_timeout, and is told of."""
    with frozen(site.pid("ovn-controller")):
        server = tenant.request(web)
        until(lambda: site.server(server).status == "ERROR", "the build to fail", 60)
    assert "plugged within 5 s" in fails(site, tenant, server)
    tenant.boot(web)
