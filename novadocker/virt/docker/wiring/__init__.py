# SPDX-License-Identifier: Apache-2.0
"""A container and its Neutron ports, joined.

``plan`` says what should be (pure), ``names`` renders the files that go with it (pure), and
``Wiring`` makes it so and keeps it so. Below it, ``backends`` know what a kind of port needs
on the host's side, and ``privileged`` alone does what takes rights: it runs in a daemon of
its own, and ``namespace``, ``links``, ``inside`` and ``offload`` run there with it.
"""

from typing import Any

__all__ = ["Wiring"]


def __getattr__(name: str) -> Any:
    if name != "Wiring":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # When it is asked for: neither the pure parts nor the privileged daemon need Nova.
    from novadocker.virt.docker.wiring.wire import Wiring  # noqa: PLC0415

    return Wiring
