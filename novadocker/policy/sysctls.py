# SPDX-License-Identifier: Apache-2.0
"""Kernel parameters of a container's own namespaces, and the defaults of every container."""

import re
from collections.abc import Iterable, Mapping

# Docker sets these for its own networks only: ping and low ports without any capability.
ALWAYS: Mapping[str, str] = {
    "net.ipv4.ping_group_range": "0 65535",
    "net.ipv4.ip_unprivileged_port_start": "0",
}
WHY_ALWAYS = "every user may ping and bind low ports, without any capability"

# Each of these exists once for each network or IPC namespace, as namespaces(7) and the kernel's
# Documentation/admin-guide/sysctl have it; "*" stands for one word. Those of one interface are
# not here: interfaces come after the parameters are set.
NAMESPACED = (
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "fs.mqueue.*",
    "net.core.somaxconn",
    "net.ipv4.conf.all.*",
    "net.ipv4.conf.default.*",
    "net.ipv4.fib_multipath_hash_policy",
    "net.ipv4.fwmark_reflect",
    "net.ipv4.icmp_*",
    "net.ipv4.igmp_*",
    "net.ipv4.ip_*",
    "net.ipv4.neigh.default.*",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_*",
    "net.ipv4.udp_*",
    "net.ipv4.vs.*",
    "net.ipv6.auto_flowlabels",
    "net.ipv6.bindv6only",
    "net.ipv6.conf.all.*",
    "net.ipv6.conf.default.*",
    "net.ipv6.flowlabel_*",
    "net.ipv6.icmp.*",
    "net.ipv6.ip_nonlocal_bind",
    "net.ipv6.neigh.default.*",
    "net.netfilter.*",
    "net.unix.max_dgram_qlen",
)
# One line of plain words: the value is written to a file below /proc/sys by the engine.
VALUE = re.compile(r"[0-9A-Za-z_.,-]+( [0-9A-Za-z_.,-]+){0,15}")
ACCEPTED = "a number, or words with single spaces between"


def known(name: str, patterns: Iterable[str] = NAMESPACED) -> bool:
    """Tell whether a list of patterns has a parameter.

    Args:
        name: the parameter, with dots.
        patterns: names, in which "*" stands for the rest of a word.
    """
    return any(
        re.fullmatch(re.escape(each).replace(r"\*", "[a-z0-9_]+"), name) for each in patterns
    )


def read(text: str) -> str:
    """Read a parameter's value.

    Args:
        text: the value as in proc(5); tabs may stand for spaces.

    Returns:
        The value with single spaces.

    Raises:
        ValueError: no parameter has such a value.
    """
    value = " ".join(text.split())
    if not value.isascii() or len(value) > 100 or not VALUE.fullmatch(value):  # noqa: PLR2004
        raise ValueError(ACCEPTED)
    return value
