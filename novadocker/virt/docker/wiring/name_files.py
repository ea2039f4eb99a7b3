# SPDX-License-Identifier: Apache-2.0
"""Texts of ``hosts``, ``hostname`` and ``resolv.conf`` of a container. Pure.

The engine mounts none of them into a container without a network of its own, so the driver
renders them and binds them in.
"""

import ipaddress

from novadocker.virt.docker.wiring.plan import Plan

_LOOPBACK = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""

_KERNEL_NAME_BYTES = 64  # HOST_NAME_MAX of Linux; Nova allows 255 characters

# Where a name must resolve and there is no address: what Debian does.
_NO_ADDRESS = "127.0.1.1"


def hosts(plan: Plan) -> str:
    """Render ``/etc/hosts``.

    Args:
        plan: the container's network.

    Returns:
        The text: loopback, and the server's name at its first address of each family. The
        name as cut for the kernel is among them, so that ``hostname`` resolves.
    """
    known = _qualified(plan), _short(plan), kernel_name(plan.hostname)
    names = " ".join(dict.fromkeys(known))
    return _LOOPBACK + "".join(f"{address}\t{names}\n" for address in _own_addresses(plan))


def resolv_conf(plan: Plan) -> str:
    """Render ``/etc/resolv.conf``.

    Args:
        plan: the container's network.

    Returns:
        The text; empty where the plan has neither resolver nor domain.
    """
    search = f"search {' '.join(plan.search)}\n" if plan.search else ""
    return search + "".join(f"nameserver {server}\n" for server in plan.dns)


def hostname(plan: Plan) -> str:
    """Render ``/etc/hostname``.

    Args:
        plan: the container's network.

    Returns:
        The server's name as Nova has it.
    """
    return f"{plan.hostname}\n"


def kernel_name(hostname: str) -> str:
    """Cut a server's name to the kernel's length, between letters.

    Args:
        hostname: name as Nova has it, of at most 255 characters.

    Returns:
        The whole name, or the beginning of its first label, at most 64 bytes in UTF-8.
    """
    if len(hostname.encode()) <= _KERNEL_NAME_BYTES:
        return hostname
    first = hostname.partition(".")[0].encode()
    return first[:_KERNEL_NAME_BYTES].decode(errors="ignore")


def _short(plan: Plan) -> str:
    return plan.hostname.partition(".")[0]


def _qualified(plan: Plan) -> str:
    if "." in plan.hostname or not plan.domain:
        return plan.hostname
    return f"{plan.hostname}.{plan.domain}"


def _own_addresses(plan: Plan) -> list[str]:
    first: dict[int, str] = {}
    for nic in plan.nics:
        for address in nic.addresses:
            own = ipaddress.ip_interface(address)
            first.setdefault(own.version, str(own.ip))
    return [first[version] for version in sorted(first)] or [_NO_ADDRESS]
