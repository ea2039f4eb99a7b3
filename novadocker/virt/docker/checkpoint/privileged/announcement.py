# SPDX-License-Identifier: Apache-2.0
"""Frames by which a network notices that a server has moved."""

import socket

from novadocker.virt.docker.checkpoint.privileged.context import entrypoint
from novadocker.virt.docker.privileged import namespace

_ETHERNET, _IPV4, _RARP, _REQUEST_REVERSE = 1, 0x0800, 0x8035, 3
_EVERYBODY = b"\xff" * 6
_NO_ADDRESS = bytes(4)
_LOOPBACK = "lo"
_MAC_BYTES = 6


@entrypoint
def announce(pid: int, container_id: str) -> int:
    """Send a request of reverse ARP from each interface of a container, as QEMU does.

    OVN keeps the destination's port closed until such a frame leaves it, and every switch
    learns from it where the server is.

    Args:
        pid: a process of the container.
        container_id: engine's id of the container.

    Returns:
        The number of frames.
    """
    with namespace.held(pid, container_id) as network:
        return namespace.inside(network, _announce)


def frame(address: bytes) -> bytes:
    """Return the frame of one interface.

    Args:
        address: MAC address, 6 bytes.
    """
    numbers = (
        (_ETHERNET, 2),
        (_IPV4, 2),
        (len(address), 1),
        (len(_NO_ADDRESS), 1),
        (_REQUEST_REVERSE, 2),
    )
    head = b"".join(number.to_bytes(size, "big") for number, size in numbers)
    addresses = address + _NO_ADDRESS + address + _NO_ADDRESS
    kind = _RARP.to_bytes(2, "big")
    return (_EVERYBODY + address + kind + head + addresses).ljust(60, b"\0")


def _announce() -> int:
    count = 0
    for _, name in socket.if_nameindex():
        if name == _LOOPBACK:
            continue
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            try:
                out.bind((name, 0))
                address = out.getsockname()[4]
                if len(address) == _MAC_BYTES:
                    out.send(frame(address))
                    count += 1
            except OSError:
                continue  # it is down; another frame comes soon
    return count
