# SPDX-License-Identifier: Apache-2.0
"""Contents for Tempest beyond the cloud's own: public images."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from novadocker.cloud.layout import credentials
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import OVN, OVS
from novadocker.cloud.samples import CACHE, SSH, machine, programs
from novadocker.cloud.seed.identity import connect
from tests.tempest.configuration import Orchestration, Subject
from tests.tempest.curl import CURL
from tests.tempest.workspace import PROLOGUE

PUBLIC_NETWORK, NETWORK = "public", "private"
FLAVOR, LARGER_FLAVOR = "c1.nano", "c1.tiny"
MACHINES_LARGER_FLAVOR = "c1.small"
FIREWALLS = {OVN: "ovn", OVS: "openvswitch"}


@contextlib.contextmanager
def subject(layout: Layout, workspace: Path) -> Iterator[Subject]:
    """Add Tempest's needs to a running cloud, describe the cloud, and remove the additions.

    Args:
        layout: where the cloud is.
        workspace: where Tempest may write.

    Yields:
        The cloud as Tempest wants to know it.
    """
    programs.ensure()
    archive = SSH.saved(CACHE, layout.hosts[0].engine.url)
    passwords = credentials.load_or_make(layout.state / "credentials.json")
    with connect(layout, "admin") as cloud, contextlib.ExitStack() as undo:
        image, other = (
            undo.enter_context(_uploaded(cloud.image, name, archive))
            for name in ("tempest", "tempest-other")
        )
        yield Subject(
            identity_url=layout.identity_url,
            admin_password=passwords.admin,
            public_network=cloud.network.find_network(PUBLIC_NETWORK).id,
            public_network_name=PUBLIC_NETWORK,
            firewall=FIREWALLS[layout.settings.network],
            extensions=tuple(sorted(each.alias for each in cloud.network.extensions())),
            image=image,
            other_image=other,
            flavor=cloud.compute.find_flavor(FLAVOR).id,
            larger_flavor=cloud.compute.find_flavor(LARGER_FLAVOR).id,
            image_file=archive,
            prologue=PROLOGUE.read_text(),
            workspace=workspace,
        )


@contextlib.contextmanager
def of_machines(layout: Layout, workspace: Path) -> Iterator[Subject]:
    """Do the same for virtual machines of a hybrid host.

    Args:
        layout: where the cloud is.
        workspace: where Tempest may write.

    Yields:
        The cloud as Tempest wants to know it, with disks for images.
    """
    disk, form = machine.saved(CACHE), {"container_format": "bare", "disk_format": "qcow2"}
    with (
        subject(layout, workspace) as found,
        connect(layout, "admin") as cloud,
        _uploaded(cloud.image, "tempest-machine", disk, **form) as image,
        _uploaded(cloud.image, "tempest-other-machine", disk, **form) as other,
    ):
        flavor, larger = (
            cloud.compute.find_flavor(name).id for name in (LARGER_FLAVOR, MACHINES_LARGER_FLAVOR)
        )
        yield dataclasses.replace(
            found,
            image=image,
            other_image=other,
            flavor=flavor,
            larger_flavor=larger,
            image_file=disk,
            machines=True,
        )


@contextlib.contextmanager
def with_stacks(layout: Layout, workspace: Path) -> Iterator[Subject]:
    """Do the same for Heat's own tests.

    Args:
        layout: where the cloud is.
        workspace: where Tempest may write.

    Yields:
        The cloud as Tempest and its plugin of Heat want to know it.
    """
    archive = CURL.saved(CACHE, layout.hosts[0].engine.url)
    passwords = credentials.load_or_make(layout.state / "credentials.json")
    with (
        subject(layout, workspace) as found,
        connect(layout, "admin") as cloud,
        _uploaded(cloud.image, "heat-tempest", archive, docker_user_data="run") as image,
    ):
        heat = Orchestration("demo", passwords.demo, image, NETWORK, key_pair="demo")
        yield dataclasses.replace(found, orchestration=heat)


@contextlib.contextmanager
def _uploaded(images: Any, name: str, archive: Path, **properties: str) -> Iterator[str]:
    form = {"container_format": "docker", "disk_format": "raw", "visibility": "public"}
    made = images.create_image(name, **{**form, **properties})
    try:
        with archive.open("rb") as data:
            made.data = data
            made.upload(images)
        yield str(made.id)
    finally:
        images.delete_image(made)
