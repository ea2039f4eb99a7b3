# SPDX-License-Identifier: Apache-2.0
"""How the engine's settings are judged. Pure."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from novadocker.virt.docker.check.findings import Finding, Verdict
from novadocker.virt.docker.engine import EngineInfo, Posture
from novadocker.virt.docker.engine.features import Features
from novadocker.virt.docker.host.advisories import AUTHORIZATION, concerning, version_of

DAEMON_JSON = "/etc/docker/daemon.json"
# How engines begin what concerns their own API, in the warnings of GET /info.
OPEN_API = re.compile(r"WARNING: API is accessible on (\S+) without (encryption|TLS client)")
NO_LIMIT = re.compile(r"WARNING: (No (?:memory|swap|pids|cpu|kernel memory|blkio|io).* support)")
RINGS = version_of("5.1.0")  # the first Linux with io_uring
RINGS_SHUT = version_of("25.0.0")  # the first engine whose own seccomp profile refuses it


@dataclass(frozen=True)
class Rule:
    """Requirement of an engine.

    Attributes:
        item: name of the finding.
        holds: test of an engine's posture.
        good: words for an engine that passes.
        bad: words for an engine that fails.
        fix: remedy.
    """

    item: str
    holds: Callable[[Posture], bool]
    good: str
    bad: str
    fix: str

    def judge(self, posture: Posture) -> Finding:
        """Judge an engine."""
        if self.holds(posture):
            return Finding(self.item, Verdict.OK, self.good)
        return Finding(self.item, Verdict.WARNING, self.bad, self.fix)


def _setting(text: str) -> str:
    return f"set {text} in {DAEMON_JSON} and restart the engine"


# A warning each, not a refusal: the driver works on all of them, with one wall less.
RULES = (
    Rule(
        "user namespaces",
        lambda posture: Features.of(posture.info).maps_users,
        "root in a container is nobody on the host",
        "root in a container is root on the host",
        _setting('"userns-remap": "default"'),
    ),
    Rule(
        "seccomp",
        lambda posture: Features.of(posture.info).filters_calls,
        "system calls are filtered",
        "containers may make any system call",
        "use a kernel with CONFIG_SECCOMP_FILTER, and no --seccomp-profile=unconfined",
    ),
    Rule(
        "live-restore",
        lambda posture: posture.info.live_restore,
        "servers outlive a restart of the engine",
        "all servers end when the engine restarts, as it must for each of its own fixes",
        _setting('"live-restore": true'),
    ),
    Rule(
        "experimental",
        lambda posture: not posture.experimental,
        "off",
        "features are on that nobody supports",
        _setting('"experimental": false'),
    ),
    Rule(
        "bridge",
        lambda posture: not posture.talkative_bridge,
        "Docker's own is not there, or its containers do not reach each other",
        "Docker's own is there; servers are never on it, but what others run here is",
        _setting('"bridge": "none", "iptables": false'),
    ),
    Rule(
        "registries",
        lambda posture: not posture.insecure_registries,
        "none is trusted blindly",
        "images are taken from some without knowing who sent them; servers need none",
        _setting('"insecure-registries": []'),
    ),
    Rule(
        "swarm",
        lambda posture: not posture.swarm,
        "off",
        "other machines may start containers here, of which Nova knows nothing",
        "docker swarm leave --force",
    ),
    Rule(
        "cgroups",
        lambda posture: posture.info.cgroup_version != "1",
        "version 2",
        "version 1, where a disk's rates hold for direct writes only and runc gives up support",
        "boot with systemd.unified_cgroup_hierarchy=1",
    ),
)


def findings(
    posture: Posture, *, mended: Collection[str], limits_disk: bool, security_modules: str
) -> Iterator[Finding]:
    """Judge an engine.

    Args:
        posture: how it is set up.
        mended: numbers of vulnerabilities that its distribution has mended.
        limits_disk: True with storage that limits disks.
        security_modules: those that the host's kernel runs, with commas between.

    Yields:
        A finding for each item, good ones too.
    """
    for rule in RULES:
        yield rule.judge(posture)
    yield security_module(posture.info, security_modules)
    yield disk(posture.info, limits_disk=limits_disk)
    yield from _its_own_warnings(posture.info)
    yield from versions(posture, mended)


def security_module(info: EngineInfo, modules: str) -> Finding:
    """Judge whether the engine uses AppArmor or SELinux where the host has it."""
    item, there = "security module", modules.split(",")
    for name, fix in (
        ("apparmor", "install apparmor_parser (Debian: apparmor) and restart the engine"),
        ("selinux", _setting('"selinux-enabled": true')),
    ):
        if name in info.security_options:
            return Finding(item, Verdict.OK, f"containers are under {name}")
        if name in there:
            words = f"the host has {name} and the engine does not use it"
            return Finding(item, Verdict.WARNING, words, fix)
    words = "the host has neither AppArmor nor SELinux: a line of defence less"
    return Finding(item, Verdict.WARNING, words, "boot with security=apparmor where you can")


def disk(info: EngineInfo, *, limits_disk: bool) -> Finding:
    """Judge whether a server can fill the disk of all."""
    if limits_disk:
        return Finding("disk quota", Verdict.OK, "root disks are limited")
    kind = info.backing_filesystem or "its file system"
    words = f"root disks are not limited ({info.storage_driver} on {kind}): one server can fill all"
    fix = f"put {info.root_directory} on XFS mounted with pquota, btrfs or ZFS"
    return Finding("disk quota", Verdict.WARNING, words, fix)


def versions(posture: Posture, mended: Collection[str]) -> Iterator[Finding]:
    """Judge versions by known vulnerabilities and by their seccomp profile."""
    features = {AUTHORIZATION} if posture.authorization else set()
    known = concerning(posture.info.components, mended, features)
    for sentence in known:
        words, _, fix = sentence.partition("; ")
        yield Finding("version", Verdict.WARNING, words, fix)
    if not known:
        named = ", ".join(f"{name} {each}" for name, each in _components(posture.info))
        yield Finding("version", Verdict.OK, f"nothing known of {named}")


def io_uring(info: EngineInfo, disabled: str) -> Finding | None:
    """Judge whether containers may use io_uring, a rich source of holes in kernels.

    Args:
        info: facts that the engine reports.
        disabled: ``/proc/sys/kernel/io_uring_disabled``; "" where the kernel lacks it.

    Returns:
        A finding, or None for a kernel without it.
    """
    if version_of(info.kernel) < RINGS:
        return None
    if disabled == "2" or version_of(info.components.get("Engine", "")) >= RINGS_SHUT:
        return Finding("io_uring", Verdict.OK, "shut to containers")
    words = "open to containers: this engine's seccomp profile lets it pass"
    fix = "sysctl kernel.io_uring_disabled=2 (Linux 6.6), or Docker Engine 25 or later"
    return Finding("io_uring", Verdict.WARNING, words, fix)


def _its_own_warnings(info: EngineInfo) -> Iterator[Finding]:
    for warning in info.warnings:
        if found := OPEN_API.match(warning):
            words = f"it listens on {found[1]} without {found[2]}: whoever reaches it is root here"
            fix = _setting("hosts to the Unix socket alone, or tlsverify with its certificates")
            yield Finding("engine's API", Verdict.WARNING, words, fix)
        elif found := NO_LIMIT.match(warning):
            words = f"what flavors say of it is not kept: {found[1]}"
            yield Finding("limits", Verdict.WARNING, words, "use a kernel with that controller")


def _components(info: EngineInfo) -> list[tuple[str, str]]:
    return [
        (name, info.components[name])
        for name in ("Engine", "containerd", "runc")
        if name in info.components
    ]
