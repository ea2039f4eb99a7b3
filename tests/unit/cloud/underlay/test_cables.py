# SPDX-License-Identifier: Apache-2.0
"""Hubs, cables and namespaces of two hosts, made on this machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroute2 import netns

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import Settings
from novadocker.cloud.underlay import cables


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """Yield a cloud of three hosts with its hubs and cables made."""
    layout = Layout(tmp_path, Settings(computes=3))
    further = layout.hosts[1:]
    try:
        cables.make_hubs(layout)
    except PermissionError:
        pytest.skip("network devices need root")
    try:
        for host in further:
            cables.connect(host)
        yield layout
    finally:
        for host in further:
            cables.disconnect(host)
        cables.remove_hubs(layout)


def _answers(layout: Layout, name: str, address: str) -> bool:
    namespace = str(layout.host(name).namespace)
    words = ("ip", "netns", "exec", namespace, "ping", "-c1", "-W1", address)
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def test_hosts_reach_the_control_plane_and_each_other(layout: Layout) -> None:
    """Each host answers over the management network, also after all was made again."""
    first, second, third = layout.hosts
    cables.connect(second)
    cables.make_hubs(layout)
    assert _answers(layout, "docker2", first.management_address)
    assert _answers(layout, "docker2", third.management_address)


def test_a_host_with_pulled_cables_reaches_nobody_until_they_are_plugged_in(
    layout: Layout,
) -> None:
    """A cut takes a single host away, and connecting brings the host back."""
    first, second, third = layout.hosts
    cables.pull(second)
    assert (cables.is_pulled(second), cables.is_pulled(third)) == (True, False)
    assert not _answers(layout, "docker2", first.management_address)
    assert _answers(layout, "docker3", first.management_address)
    cables.connect(second)
    assert not cables.is_pulled(second)
    assert _answers(layout, "docker2", first.management_address)


def test_nothing_is_left_of_a_host(layout: Layout) -> None:
    """A disconnected host leaves neither a namespace nor a plug, twice over."""
    second = layout.host("docker2")
    for _ in range(2):
        cables.disconnect(second)
        assert second.namespace not in netns.listnetns()
        assert not any(Path(f"/sys/class/net/{cable.plug}").exists() for cable in second.cables)
