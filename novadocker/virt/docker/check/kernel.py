# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the host's kernel: resources that all containers share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from novadocker.virt.docker.check.findings import Finding, Verdict

PROC_SYS = Path("/proc/sys")
MODULES = Path("/sys/kernel/security/lsm")
# Where that is not mounted.
SIGNS = {
    "apparmor": Path("/sys/module/apparmor/parameters/enabled"),
    "selinux": Path("/sys/fs/selinux/enforce"),
}


@dataclass(frozen=True)
class Sysctl:
    """Requirement of a kernel parameter.

    Attributes:
        name: as sysctl(8) has it, with "/" for ".".
        least: the smallest value that will do.
        advised: the value to set.
        why: danger of other values.
    """

    name: str
    least: int
    advised: int
    why: str

    def judge(self, root: Path) -> Finding | None:
        """Judge a host; a kernel without the parameter is not judged."""
        try:
            value = int((root / self.name).read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        dotted = self.name.replace("/", ".")
        if value >= self.least:
            return Finding("kernel", Verdict.OK, f"{dotted} is {value}")
        words, fix = f"{dotted} is {value}: {self.why}", f"sysctl {dotted}={self.advised}"
        return Finding("kernel", Verdict.WARNING, words, fix)


_ROOT_SHARES = "one server can take all of them from the others and from the host's root"
SYSCTLS = (
    Sysctl("kernel/unprivileged_bpf_disabled", 1, 1, "any user may load programs into the kernel"),
    Sysctl("kernel/yama/ptrace_scope", 1, 1, "a process can be traced by all others of its user"),
    Sysctl("kernel/dmesg_restrict", 1, 1, "any user reads addresses and names in the kernel's log"),
    Sysctl("kernel/kptr_restrict", 1, 1, "any user reads the kernel's addresses in /proc"),
    Sysctl("kernel/perf_event_paranoid", 2, 2, "any user measures the kernel"),
    Sysctl("kernel/randomize_va_space", 2, 2, "addresses in programs can be guessed"),
    Sysctl("fs/protected_symlinks", 1, 1, "links in shared directories lead other users astray"),
    Sysctl("fs/protected_hardlinks", 1, 1, "any user keeps others' files by links"),
    Sysctl("fs/protected_fifos", 1, 1, "FIFOs in shared directories catch what others write"),
    Sysctl("fs/protected_regular", 1, 1, "files in shared directories catch what others write"),
    # What Linux counts for all containers together: by the user that they are mapped to, by who
    # made their user namespaces, which is root, or by the machine. Incus advises the same
    # values (https://linuxcontainers.org/incus/docs/main/reference/server_settings/).
    Sysctl("fs/inotify/max_user_instances", 8192, 1_048_576, _ROOT_SHARES),
    Sysctl("fs/inotify/max_user_watches", 65536, 1_048_576, _ROOT_SHARES),
    Sysctl("fs/aio-max-nr", 524_288, 16_777_216, _ROOT_SHARES),
    Sysctl("kernel/pty/max", 16384, 65536, "one server can take all terminals from the others"),
    Sysctl("kernel/pid_max", 4_194_304, 4_194_304, "few servers can use up all process ids"),
    Sysctl("kernel/keys/maxkeys", 2000, 20000, "no more servers run here, each needs one"),
    Sysctl("kernel/keys/maxbytes", 200_000, 2_000_000, "each server that runs needs 70 of them"),
    Sysctl(
        "net/ipv4/neigh/default/gc_thresh3",
        8192,
        8192,
        "one server can fill the table of neighbours of all",
    ),
    Sysctl("user/max_user_namespaces", 1000, 10000, "each server needs one of its own"),
)


def findings(root: Path = PROC_SYS) -> Iterator[Finding]:
    """Judge the kernel, with one finding for everything in order.

    Args:
        root: where its parameters are.
    """
    found = [finding for each in SYSCTLS if (finding := each.judge(root))]
    odd = [each for each in found if each.verdict is not Verdict.OK]
    yield from odd
    if len(found) > len(odd):
        words = f"{len(found) - len(odd)} parameters are as they should be"
        yield Finding("kernel", Verdict.OK, words)
    if (crashes := core_pattern(root)) is not None:
        yield crashes


def core_pattern(root: Path = PROC_SYS) -> Finding | None:
    """Judge the treatment of a server's crashed process."""
    pattern = value("kernel/core_pattern", root)
    if not pattern.startswith("|"):
        return Finding("core dumps", Verdict.OK, "stay in the container that they are of")
    words = f"{pattern[1:].split()[0]} handles those of servers, as root of the host"
    fix = "keep that program up to date, or sysctl kernel.core_pattern=core"
    return Finding("core dumps", Verdict.WARNING, words, fix)


def value(name: str, root: Path = PROC_SYS) -> str:
    """Read a parameter; "" where the kernel lacks it."""
    try:
        return (root / name).read_text().strip()
    except OSError:
        return ""


def security_modules() -> str:
    """Name the security modules that the kernel runs, with commas between."""
    try:
        return MODULES.read_text().strip()
    except OSError:
        return ",".join(name for name, sign in SIGNS.items() if _is_on(sign))


def _is_on(sign: Path) -> bool:
    try:
        return sign.read_text().strip() in ("Y", "0", "1")
    except OSError:
        return False
