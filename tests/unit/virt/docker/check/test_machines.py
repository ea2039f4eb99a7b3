# SPDX-License-Identifier: Apache-2.0
"""Judgement of a host with virtual machines beside its containers."""

import pytest

from novadocker.virt.docker.check import machines
from novadocker.virt.docker.check.findings import Verdict


def test_two_names_of_one_host_are_a_warning() -> None:
    """Nova refuses to start a node whose name has changed; the finding says both names."""
    assert machines.node_name("h1", "h1").verdict is Verdict.OK
    found = machines.node_name("h1.example.org", "h1")
    assert found.verdict is Verdict.WARNING
    assert "h1.example.org" in found.words


@pytest.mark.parametrize(("mib", "verdict"), [(512, Verdict.WARNING), (1024, Verdict.OK)])
def test_memory_is_reserved_for_qemu(mib: int, verdict: Verdict) -> None:
    """Nova's default is enough for a host of containers, and not for QEMU beside its guests."""
    assert machines.reserved_memory(mib).verdict is verdict


@pytest.mark.parametrize(
    ("shared", "dedicated", "managed", "words"),
    [
        (False, False, False, []),
        (True, True, False, []),
        (True, False, True, []),
        (False, True, False, ["machines that share run on dedicated"]),
        (True, True, True, ["pinned containers are refused"]),
        (False, True, True, ["machines that share", "pinned containers"]),
    ],
)
def test_traps_of_divided_processors_are_told(
    shared: bool, dedicated: bool, managed: bool, words: list[str]
) -> None:
    """Each trap is a warning of its own; none is one finding that all is well."""
    found = list(machines.processors(machines.Processors(shared, dedicated, managed)))
    if not words:
        assert [each.verdict for each in found] == [Verdict.OK]
    else:
        assert all(told in each.words for told, each in zip(words, found, strict=True))


def test_two_disks_are_a_warning() -> None:
    """The smaller of two counts, which the operator may not expect."""
    assert machines.disks(apart=False).verdict is Verdict.OK
    assert machines.disks(apart=True).verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("datapath", "offloads", "verdict"),
    [
        ("", False, Verdict.OK),
        ("system", False, Verdict.OK),
        ("netdev", True, Verdict.OK),
        ("netdev", False, Verdict.MISSING),
    ],
)
def test_a_datapath_that_leaves_checksums_open_is_missing_something(
    datapath: str, offloads: bool, verdict: Verdict
) -> None:
    """Only user space needs the setting; the remedy is the command to type."""
    found = machines.switch(machines.Switch(datapath, offloads))
    assert found.verdict is verdict
    assert ("userspace-tso-enable=true" in found.fix) is (verdict is Verdict.MISSING)
