# SPDX-License-Identifier: Apache-2.0
"""Hosts that pass for an image, among container-only, VM-only and hybrid hosts."""

from types import SimpleNamespace
from typing import Any

import pytest
from nova.objects.image_meta import ImageMeta
from nova.objects.request_spec import RequestSpec

from novadocker.scheduler.container_filter import ContainerFilter
from tests.unit.virt.hybrid.servers import image

HOSTS = {
    "containers": [["x86_64", "docker", "exe"]],
    "machines": [["x86_64", "qemu", "hvm"], ["i686", "qemu", "hvm"]],
    "hybrid": [["x86_64", "qemu", "hvm"], ["x86_64", "docker", "exe"]],
    "lost": [],
}


def passing(spec: RequestSpec) -> list[str]:
    """Return the names of the hosts that the filter leaves."""
    hosts: list[Any] = [
        SimpleNamespace(host=name, supported_instances=types) for name, types in HOSTS.items()
    ]
    return [each.host for each in ContainerFilter().filter_all(hosts, spec)]


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (image(container_format="docker"), ["containers", "hybrid"]),
        (image(container_format="bare"), ["machines", "hybrid"]),
        (image(properties={"img_hv_type": "docker"}), ["containers", "hybrid"]),
        (None, ["machines", "hybrid"]),
    ],
)
def test_an_image_goes_to_hosts_of_its_kind(meta: ImageMeta | None, expected: list[str]) -> None:
    """A request without an image boots from a volume: a virtual machine."""
    assert passing(RequestSpec(image=meta)) == expected


def test_the_filter_looks_at_a_rebuild() -> None:
    """Nova leaves out filters that do not say so, and Placement altogether."""
    hints = {"_nova_check_type": ["rebuild"]}
    spec = RequestSpec(image=image(container_format="docker"), scheduler_hints=hints)
    only: Any = SimpleNamespace(host="machines", supported_instances=HOSTS["machines"])
    assert list(ContainerFilter().filter_all([only], spec)) == []
