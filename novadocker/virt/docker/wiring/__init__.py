# SPDX-License-Identifier: Apache-2.0
"""Wiring between containers and Neutron ports.

``plan`` is the network that Nova's ports ask for (pure), ``name_files`` renders the files that go
with it (pure), and ``Wiring`` brings it about and keeps it so. ``backends`` know what a kind of
port needs on the host's side. ``privileged`` alone takes rights: it runs in a daemon of its own,
and ``veth``, ``container_side``, ``addresses``, ``routes`` and ``offload`` run there with it.
"""

from typing import Any

__all__ = ["Wiring"]


def __getattr__(name: str) -> Any:
    if name != "Wiring":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # When it is asked for: neither the pure parts nor the privileged daemon need Nova.
    from novadocker.virt.docker.wiring.wire import Wiring  # noqa: PLC0415

    return Wiring
