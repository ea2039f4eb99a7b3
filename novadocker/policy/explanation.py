# SPDX-License-Identifier: Apache-2.0
"""Settings of a container in words, each with its origin and its reason."""

from collections.abc import Iterator

from novadocker.policy import capabilities, sysctls
from novadocker.policy.flavor import Abilities
from novadocker.policy.grant import Grant
from novadocker.policy.settings import (
    MIB,
    Explained,
    Limits,
    Rights,
)

ALWAYS = "always"
FLAVOR = "flavor"
_EVERY = (
    Explained("privileged", "no", ALWAYS, "there is no such mode"),
    Explained(
        "namespaces",
        "its own network, processes, messages, names, mounts and control groups",
        ALWAYS,
        "it neither sees nor reaches the host's",
    ),
    Explained(
        "devices", "null, zero, full, random, tty and the like", ALWAYS, "none is the host's"
    ),
    Explained(
        "kernel files", "masked or read-only in /proc and /sys", ALWAYS, "they are the host's"
    ),
)


def explained(
    grant: Grant, limits: Limits, rights: Rights, abilities: Abilities
) -> tuple[Explained, ...]:
    """Explain every setting of a container.

    Args:
        grant: rights with their origins.
        limits: resource limits of the container.
        rights: rights of the container, as the engine gets them.
        abilities: means of the host to enforce them.

    Returns:
        One entry a setting, in the order of the tenant's page.
    """
    return (
        Explained("profile", grant.profile.name, grant.sources["profile"], grant.profile.why),
        *_EVERY,
        _users(abilities),
        *_capabilities(grant, rights),
        *_confinement(grant, rights, abilities),
        *_files(grant, rights),
        *_sysctls(grant, rights),
        *_limits(limits, rights),
    )


def _users(abilities: Abilities) -> Explained:
    if abilities.userns:
        return Explained("users", "its own", "host", "its root is nobody on the host")
    return Explained("users", "the host's", "host", "its operator has set require_userns = false")


def _capabilities(grant: Grant, rights: Rights) -> Iterator[Explained]:
    if not rights.capabilities:
        yield Explained("capabilities", "none", grant.sources["profile"], "all are dropped")
    for name in rights.capabilities:
        source = grant.sources.get(name, grant.sources["profile"])
        yield Explained("capability", name, source, capabilities.why(name))


def _confinement(grant: Grant, rights: Rights, abilities: Abilities) -> Iterator[Explained]:
    yield Explained(
        "setuid programs",
        "gain nothing" if rights.no_new_privileges else "gain what the container has",
        grant.sources["no_new_privileges"],
        "sudo and the like work only where users are the container's own",
    )
    if rights.init:
        source = f"profile {grant.profile.name}"
        yield Explained("control groups", "its own to divide", source, "systemd sorts its services")
    value = "an init before the image's command" if rights.reaper else "the image's command"
    yield Explained(
        "process 1", value, grant.sources["reaper"], "waits for orphans, or leaves them"
    )
    yield Explained(
        "root",
        "allowed" if grant.profile.root else "refused",
        f"profile {grant.profile.name}",
        "as whom the image's command runs",
    )
    yield Explained(
        "seccomp",
        grant.profile.seccomp or "the engine's default",
        grant.sources["seccomp"],
        "system calls that a server has no use for are refused",
    )
    if abilities.apparmor:
        source = "flavor docker:apparmor" if rights.apparmor else ALWAYS
        value = rights.apparmor or "the engine's default"
        yield Explained("AppArmor", value, source, "files and mounts that are refused by path")
    source = "flavor docker:runtime" if rights.runtime != abilities.default_runtime else "host"
    yield Explained("runtime", rights.runtime, source, "the program that runs it")


def _files(grant: Grant, rights: Rights) -> Iterator[Explained]:
    value = "read-only" if rights.read_only else "writable"
    yield Explained("root file system", value, grant.sources["read_only"], "where its files are")
    if rights.tmpfs:
        source = f"profile {grant.profile.name}" if grant.profile.tmpfs else ALWAYS
        value = ", ".join(rights.tmpfs)
        yield Explained("memory for files", value, source, "gone at a stop, and part of its memory")
    value = f"{rights.shm_bytes // MIB} MiB"
    yield Explained(
        "shared memory", value, FLAVOR, "size of its folder below /dev; part of its memory"
    )


def _sysctls(grant: Grant, rights: Rights) -> Iterator[Explained]:
    for name, value in rights.sysctls.items():
        source = grant.sources[name]
        why = sysctls.WHY_ALWAYS if source == ALWAYS else "of its own network or IPC namespace"
        yield Explained(f"sysctl {name}", value, source, why)


def _limits(limits: Limits, rights: Rights) -> Iterator[Explained]:
    yield Explained("memory", f"{limits.memory_bytes // MIB} MiB", FLAVOR, "more ends a process")
    yield Explained("swap", f"{limits.swap_bytes // MIB} MiB", FLAVOR, "beside the memory")
    yield Explained("processors", f"{limits.nano_cpus / 10**9:g}", FLAVOR, "a hard limit")
    if limits.cpuset:
        yield Explained(
            "numbers of processors", limits.cpuset, "host", "others are set aside for others"
        )
    yield Explained("processes", str(limits.pids), FLAVOR, "more cannot be forked")
    disk = f"{limits.disk_bytes // MIB} MiB" if limits.disk_bytes else "not limited"
    yield Explained("disk", disk, FLAVOR if limits.disk_bytes else "host", "what it may write")
    for each in rights.ulimits:
        yield Explained(f"ulimit {each.name}", f"{each.soft}:{each.hard}", FLAVOR, "of a process")
    yield Explained("restart", "never by itself", ALWAYS, "Nova owns its state")
