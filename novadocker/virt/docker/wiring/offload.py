# SPDX-License-Identifier: Apache-2.0
"""Checksum offload of a network device: computed by the sender or left open for the next device.

Open vSwitch's user-space datapath passes frames on with the checksum still open; the
receiver's kernel drops them, and TCP between two containers never gets going.
"""

import ctypes
import fcntl
import socket

_SIOCETHTOOL = 0x8946
_GET_TX_CHECKSUM = 0x16
_SET_TX_CHECKSUM = 0x17
_NAME_LENGTH = 16


class _Value(ctypes.Structure):
    """``struct ethtool_value``."""

    _fields_ = (("command", ctypes.c_uint32), ("data", ctypes.c_uint32))


class _Request(ctypes.Structure):
    """``struct ifreq`` with a pointer in its union."""

    _fields_ = (
        ("name", ctypes.c_char * _NAME_LENGTH),
        ("data", ctypes.c_void_p),
        ("rest", ctypes.c_char * 16),
    )


def set_checksum(device: str, *, enabled: bool) -> bool:
    """Switch a device's transmit checksum offload on or off.

    Args:
        device: name in this thread's namespace.
        enabled: checksums may be left to the next device.

    Returns:
        Whether it was otherwise.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        if bool(_ethtool(control, device, _GET_TX_CHECKSUM)) == enabled:
            return False
        _ethtool(control, device, _SET_TX_CHECKSUM, int(enabled))
        return True


def _ethtool(control: socket.socket, device: str, command: int, data: int = 0) -> int:
    value = _Value(command, data)
    request = _Request(device.encode(), ctypes.addressof(value))
    fcntl.ioctl(control, _SIOCETHTOOL, request)
    return int(value.data)
