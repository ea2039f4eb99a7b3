# SPDX-License-Identifier: Apache-2.0
"""Checks of an operator's seccomp profiles: form, and system calls that stay shut.

The form is Docker's (https://docs.docker.com/engine/security/seccomp/). A profile takes the
place of the engine's default one, so it must withhold what that withholds.
"""

import json
from typing import Any

from novadocker.policy.capabilities import WITHHELD

REFUSING = frozenset(
    {
        "SCMP_ACT_ERRNO",
        "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_TRAP",
    }
)
# The engine's default profile lets no process make these without a capability that goes with it.
PRIVILEGED = frozenset(
    [
        "_sysctl",
        "acct",
        "add_key",
        "bpf",
        "clock_settime",
        "clone",
        "clone3",
        "create_module",
        "delete_module",
        "finit_module",
        "fsconfig",
        "fsmount",
        "fsopen",
        "fspick",
        "get_kernel_syms",
        "init_module",
        "ioperm",
        "iopl",
        "kexec_file_load",
        "kexec_load",
        "keyctl",
        "lookup_dcookie",
        "mount",
        "mount_setattr",
        "move_mount",
        "nfsservctl",
        "open_by_handle_at",
        "open_tree",
        "perf_event_open",
        "pivot_root",
        "query_module",
        "quotactl",
        "quotactl_fd",
        "reboot",
        "request_key",
        "setns",
        "settimeofday",
        "stime",
        "swapoff",
        "swapon",
        "sysfs",
        "syslog",
        "umount",
        "umount2",
        "unshare",
        "uselib",
        "userfaultfd",
        "ustat",
        "vhangup",
        "vm86",
        "vm86old",
    ]
)


def checked(text: str) -> str:
    """Check an operator's seccomp profile against the engine's default.

    Args:
        text: JSON, in Docker's form.

    Returns:
        The profile in JSON's shortest form.

    Raises:
        ValueError: the text is no profile, or opens calls that the engine's default shuts.
    """
    profile = json.loads(text)  # its own error is a ValueError
    if not isinstance(profile, dict) or profile.get("defaultAction") not in REFUSING:
        raise ValueError(f"its defaultAction must be one of {', '.join(sorted(REFUSING))}")
    if profile.get("listenerPath") or profile.get("listenerMetadata"):
        raise ValueError("it must not hand calls to a listener")
    rules = profile.get("syscalls") or []
    if not isinstance(rules, list) or not all(isinstance(each, dict) for each in rules):
        raise ValueError("its syscalls must be a list of objects")
    opened = sorted({name for rule in rules for name in _opened(rule)} & PRIVILEGED)
    if opened:
        raise ValueError(
            f"it allows {', '.join(opened)} to everybody; leave out what the engine's default "
            "profile allows to nobody without a capability (clone needs args there)"
        )
    return json.dumps(profile, separators=(",", ":"))


def _opened(rule: dict[str, Any]) -> list[str]:
    """Name the calls of an allowing rule; ``clone`` only if free to make namespaces."""
    if rule.get("action") in REFUSING or _out_of_reach(rule):
        return []
    names = rule.get("names") or [rule.get("name")]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ValueError("the names of a rule must be a list of words")
    return [name for name in names if name != "clone" or not rule.get("args")]


def _out_of_reach(rule: dict[str, Any]) -> bool:
    """Tell whether a rule needs a capability outside every container's reach."""
    includes = rule.get("includes")
    caps = includes.get("caps") if isinstance(includes, dict) else None
    return isinstance(caps, list) and any(
        isinstance(each, str) and each.removeprefix("CAP_") in WITHHELD for each in caps
    )
