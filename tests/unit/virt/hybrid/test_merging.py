# SPDX-License-Identifier: Apache-2.0
"""Answers of two drivers, joined."""

import pytest

from novadocker.virt.hybrid import merging


@pytest.mark.parametrize(
    ("name", "machines", "containers", "joined"),
    [
        ("supports_attach_interface", True, True, True),
        ("supports_attach_interface", True, False, False),
        ("supports_migrate_to_same_host", False, True, False),
        ("supports_trusted_certs", True, False, True),
        ("supports_multiattach", False, True, True),
        ("supports_vtpm", False, False, False),
    ],
)
def test_capabilities_are_those_of_both_or_of_either(
    name: str, machines: bool, containers: bool, joined: bool
) -> None:
    """Nova asks before the kind is known: only what a side cannot refuse must be both's."""
    assert merging.capabilities({name: machines}, {name: containers}) == {name: joined}


def test_a_capability_of_one_driver_is_kept() -> None:
    """A name that the other driver does not know counts as absent there."""
    assert merging.capabilities({"a": True}, {"b": True}) == {"a": True, "b": True}


def test_resources_are_libvirts_with_the_hypervisor_of_containers() -> None:
    """The host's totals are counted once."""
    machines = {"vcpus": 2, "local_gb": 9, "supported_instances": [("x86_64", "qemu", "hvm")]}
    joined = merging.resources(machines, [("x86_64", "docker", "exe")], None)
    assert joined == {
        "vcpus": 2,
        "local_gb": 9,
        "supported_instances": [("x86_64", "qemu", "hvm"), ("x86_64", "docker", "exe")],
    }
    assert machines["supported_instances"] == [("x86_64", "qemu", "hvm")]


@pytest.mark.parametrize(("own", "expected"), [(None, 50), (80, 50), (20, 20)])
def test_of_two_disks_the_smaller_counts(own: int | None, expected: int) -> None:
    """A disk that both kinds share is libvirt's; else no sum lets either be sold twice."""
    machines = {
        "VCPU": {"total": 4, "max_unit": 4},
        "DISK_GB": {"total": 50, "max_unit": 50, "reserved": 1},
    }
    joined = merging.inventory(machines, own)
    assert joined["DISK_GB"] == {"total": expected, "max_unit": expected, "reserved": 1}
    assert joined["VCPU"] == machines["VCPU"]
    assert machines["DISK_GB"]["total"] == 50
    shown = {"local_gb": 50, "supported_instances": []}
    assert merging.resources(shown, [], own)["local_gb"] == expected


def test_a_host_without_a_disk_in_placement_gets_none() -> None:
    """A disk of a sharing provider is not the host's to count."""
    assert merging.inventory({"VCPU": {"total": 4}}, 20) == {"VCPU": {"total": 4}}
