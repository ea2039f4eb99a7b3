# SPDX-License-Identifier: Apache-2.0
"""Capabilities of Linux, see capabilities(7): the ordinary, the grantable and the withheld."""

from collections.abc import Mapping

# What an ordinary server process does to its own files, children and interfaces, inside
# namespaces of its own: none of these reaches anything outside the container.
ORDINARY: Mapping[str, str] = {
    "CHOWN": "daemons give their files to the user that they become",
    "DAC_OVERRIDE": "root reads and writes what its services own",
    "FOWNER": "package managers and daemons set modes on others' files",
    "FSETID": "keeps setgid directories such as /var/mail so",
    "KILL": "a supervisor signals children that run as other users",
    "SETGID": "daemons drop their rights",
    "SETUID": "daemons drop their rights",
    "SETPCAP": "daemons empty their bounding set",
    "NET_BIND_SERVICE": "ports below 1024",
    # The kernel starts no file that carries a capability outside the bounding set, root's
    # neither: ping of Debian and Ubuntu is such a file. Neutron guards the port from outside.
    "NET_RAW": "ping as distributions have it; raw sockets of its own network namespace",
    "SYS_CHROOT": "sshd, vsftpd and others confine their children",
}

# What a flavor or an operator's profile may add. The kernel asks for these in the container's
# own namespaces, and what they reach is the container's.
GRANTABLE: Mapping[str, str] = {
    "AUDIT_WRITE": "login programs try to write to the kernel's audit log, which is not theirs",
    "IPC_LOCK": "databases lock memory, of which they have no more than the flavor's",
    "IPC_OWNER": "programs share memory and semaphores between their users",
    "LEASE": "file servers take leases on files",
    "NET_ADMIN": "a router or VPN changes links, routes and filters of its own network namespace",
    "NET_BROADCAST": "has no effect in today's kernels; old programs ask for it",
    "SETFCAP": "package managers give files capabilities, which hold in the container alone",
    "SYS_PTRACE": "a debugger looks into other processes of the container",
}

# What nobody may add, whatever nova.conf says: it is no right inside a container but one over
# the host, or it opens what the engine's seccomp profile shuts for everybody without it.
WITHHELD: Mapping[str, str] = {
    "AUDIT_CONTROL": "the audit log is the host's",
    "AUDIT_READ": "the audit log is the host's",
    "BLOCK_SUSPEND": "whether the machine sleeps is the host's matter",
    "BPF": "programs in the host's kernel",
    "CHECKPOINT_RESTORE": "the engine checkpoints containers, not they themselves",
    "DAC_READ_SEARCH": "opens files by handle, past the container's root",
    "LINUX_IMMUTABLE": "files that the engine cannot remove",
    "MAC_ADMIN": "the host's security module",
    "MAC_OVERRIDE": "the host's security module",
    "MKNOD": "devices",
    "PERFMON": "watches the whole host",
    "SYSLOG": "the kernel's log is the host's",
    "SYS_ADMIN": "mounts, and all that seccomp shuts with them: the way out of most containers",
    "SYS_BOOT": "restarts the host",
    "SYS_MODULE": "code in the host's kernel",
    "SYS_NICE": "takes processor time from its neighbours",
    "SYS_PACCT": "accounting is the host's",
    "SYS_RAWIO": "the host's ports and disks",
    "SYS_RESOURCE": "goes beyond its limits and quotas",
    "SYS_TIME": "the clock is the host's",
    "SYS_TTY_CONFIG": "the host's consoles",
    "WAKE_ALARM": "wakes the host",
}

ALL = "ALL"
# What [docker] allowed_capabilities is where the operator says nothing.
ALLOWED = (*ORDINARY, "NET_ADMIN", "SETFCAP", "SYS_PTRACE")


def read(text: str) -> tuple[str, ...]:
    """Read a list of capabilities to be granted.

    Args:
        text: names with commas between them, in any case, with or without ``CAP_``.

    Returns:
        Names in the engine's spelling, sorted, each once.

    Raises:
        ValueError: a name is unknown or withheld from everybody; the message gives the reason.
    """
    return _named(text, {})


def read_drops(text: str) -> tuple[str, ...]:
    """Read a list of capabilities to be dropped.

    Args:
        text: names as for ``read``, ``ALL``, or names of withheld capabilities.

    Returns:
        Names, sorted; every grantable capability for ``ALL``.

    Raises:
        ValueError: a name is unknown.
    """
    names = _named(text, {ALL: "", **WITHHELD})
    return tuple(sorted((*ORDINARY, *GRANTABLE))) if ALL in names else names


def why(name: str) -> str:
    """Return the reason for granting a capability.

    Args:
        name: an ordinary or a grantable capability.
    """
    return ORDINARY.get(name) or GRANTABLE[name]


def _named(text: str, others: Mapping[str, str]) -> tuple[str, ...]:
    names = {_name(each) for each in text.split(",")}
    for name in sorted(names - {*ORDINARY, *GRANTABLE, *others}):
        if name in WITHHELD:
            raise ValueError(f"capabilities without {name}, which nobody gets: {WITHHELD[name]}")
        raise ValueError("names of capabilities with commas between, such as NET_ADMIN,SETFCAP")
    return tuple(sorted(names))


def _name(text: str) -> str:
    return text.strip().upper().removeprefix("CAP_")
