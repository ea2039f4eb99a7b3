# SPDX-License-Identifier: Apache-2.0
"""Comparison of restored processes with the rights that their server has by policy.

A restore takes rights from the checkpoint. One that was altered could give a server root's, so
that every process is looked at before it runs.
"""

from collections.abc import Iterable, Mapping

from novadocker.errors import CheckpointError
from novadocker.policy import Rights
from novadocker.virt.docker.checkpoint.record import Record

# Numbers of capabilities(7), by include/uapi/linux/capability.h.
_NAMES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
PERFMON BPF CHECKPOINT_RESTORE
"""
NUMBERS = {name: number for number, name in enumerate(_NAMES.split())}
_SETS = ("CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb")
UNCONFINED = "unconfined"
_FILTERED = "2"  # mode of seccomp(2), in proc(5)


def refuse_excess(
    tasks: Iterable[Mapping[str, str]], rights: Rights, record: Record, own_namespace: str
) -> None:
    """Refuse processes with more rights than their server has.

    Args:
        tasks: rights of each process, by ``privileged.tasks``.
        rights: rights of the container by policy.
        record: record of the checkpoint.
        own_namespace: number of the host's user namespace.

    Raises:
        CheckpointError: a process has more, or there is none.
    """
    granted = sum(1 << NUMBERS[name] for name in rights.capabilities)
    found = list(tasks)
    if not found:
        raise CheckpointError(reason="no process was restored")
    for task in found:
        excess = [name for name in _SETS if int(task[name], 16) & ~granted]
        if rights.no_new_privileges and task["NoNewPrivs"] != "1":
            excess.append("NoNewPrivs")
        if rights.seccomp != UNCONFINED and task["Seccomp"] != _FILTERED:
            excess.append("Seccomp")
        excess += [name for name in ("uid_map", "gid_map") if task[name] != getattr(record, name)]
        if _is_mapped(record) and task["user"] == own_namespace:
            excess.append("user namespace")
        if excess:
            raise CheckpointError(
                reason=f"process {task['pid']} was restored with other rights: {', '.join(excess)}"
            )


def _is_mapped(record: Record) -> bool:
    return not record.uid_map.startswith("0 0 ")
