# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
import socket

import pytest

from novadocker.cloud.errors import PortsTaken
from novadocker.cloud.layout.layout import Layout, Ports
from novadocker.cloud.machine import ports


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ({}, []),
        ({22: 1, 80: None}, []),
        ({20001: 7}, [(20001, "glance", 7)]),
        ({20000: 5, 20003: None}, [(20000, "keystone", 5), (20003, "nova", None)]),
    ],
)
def test_only_our_ports_clash(
    listeners: dict[int, int | None], expected: list[tuple[int, str, int | None]]
) -> None:
    """Other people's ports are no concern; ours are named with who has them."""
    assert ports.clashes(Ports.starting_at(20000), listeners) == expected


def test_a_port_in_use_is_refused_with_its_owner(layout: Layout) -> None:
    """The message names port, service and process, and how to go elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = server.getsockname()[1]
        settings = dataclasses.replace(layout.settings, port_base=base)
        taken = dataclasses.replace(layout, settings=settings)
        with pytest.raises(PortsTaken) as refusal:
            ports.check(taken)
    assert f"{base} (keystone) by process {os.getpid()}" in str(refusal.value)
    assert "--port-base" in str(refusal.value)
