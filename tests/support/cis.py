# SPDX-License-Identifier: Apache-2.0
"""CIS Docker Benchmark 1.6, section 5 (container runtime), over what ``docker inspect`` says.

Read as docker-bench-security reads it, and stricter where a server of a cloud can bear it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

SENSITIVE = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/var/run", "/run")
OWN_NAMESPACE = ("", "private")
# A container without a network of Docker's has none of its ports there.
NO_NETWORK = ("", "none", "default")


@dataclass(frozen=True)
class Seen:
    """One container.

    Attributes:
        told: the engine's account of it.
        info: the engine's account of itself.
        granted: capabilities that its flavor grants.
    """

    told: Mapping[str, Any]
    info: Mapping[str, Any]
    granted: frozenset[str]

    @property
    def host(self) -> Mapping[str, Any]:
        """Host configuration of the container."""
        found: Mapping[str, Any] = self.told["HostConfig"]
        return found

    def option(self, name: str) -> str:
        """Return a security option of the container by name; "" for none."""
        options = (each.replace("=", ":", 1) for each in self.host["SecurityOpt"] or ())
        return next((each for each in options if each.startswith(name)), "")

    def engine_has(self, feature: str) -> bool:
        """Tell whether the engine uses a feature of its kernel."""
        return any(each.startswith(f"name={feature}") for each in self.info["SecurityOptions"])


@dataclass(frozen=True)
class Rule:
    """One recommendation.

    Attributes:
        number: in the benchmark.
        title: title in the benchmark, shortened.
        holds: check of a container against the control.
    """

    number: str
    title: str
    holds: Callable[[Seen], bool]


def _confined(seen: Seen) -> bool:
    profile = seen.told["AppArmorProfile"]
    return not seen.engine_has("apparmor") or profile not in ("", "unconfined")


def _labelled(seen: Seen) -> bool:
    return not seen.engine_has("selinux") or "disable" not in seen.option("label")


def _few_capabilities(seen: Seen) -> bool:
    added = {each.removeprefix("CAP_") for each in seen.host["CapAdd"] or ()}
    return seen.host["CapDrop"] == ["ALL"] and added <= seen.granted


def _mounts(seen: Seen) -> Iterable[Mapping[str, Any]]:
    return (each for each in seen.told["Mounts"] if each["Type"] != "volume")


def _no_host_directory(seen: Seen) -> bool:
    return not any(
        PurePosixPath(each["Source"]) == PurePosixPath(directory)
        for each in _mounts(seen)
        for directory in SENSITIVE
    )


def _no_socket(seen: Seen) -> bool:
    return not any(each["Source"].endswith(".sock") for each in seen.told["Mounts"])


def _no_ports(seen: Seen) -> bool:
    return not seen.host["PortBindings"] and not seen.told["NetworkSettings"]["Ports"]


def _no_devices(seen: Seen) -> bool:
    members = ("Devices", "DeviceRequests", "DeviceCgroupRules")
    return not any(seen.host.get(each) for each in members)


def _never_shared(seen: Seen) -> bool:
    return not any("shared" in each["Propagation"] for each in _mounts(seen))


def _memory(seen: Seen) -> bool:
    return seen.host["Memory"] > 0 and not seen.host["OomKillDisable"]


def _seccomp(seen: Seen) -> bool:
    return seen.engine_has("seccomp") and "unconfined" not in seen.option("seccomp")


def _no_new_privileges(seen: Seen) -> bool:
    return seen.option("no-new-privileges") in ("no-new-privileges", "no-new-privileges:true")


def _no_exec_with_rights(seen: Seen) -> bool:
    return not seen.told.get("ExecIDs") or not seen.host["Privileged"]


RULES = (
    Rule("5.1", "swarm mode is not enabled", lambda s: _swarm(s) == "inactive"),
    Rule("5.2", "an AppArmor profile is enabled, where the host has it", _confined),
    Rule("5.3", "SELinux security options are set, where the host has it", _labelled),
    Rule("5.4", "capabilities are restricted", _few_capabilities),
    Rule("5.5", "privileged containers are not used", lambda s: not s.host["Privileged"]),
    Rule("5.6", "sensitive host directories are not mounted", _no_host_directory),
    Rule("5.8", "privileged ports of the host are not mapped", _no_ports),
    Rule("5.9", "only needed ports of the host are open", _no_ports),
    Rule(
        "5.10",
        "the host's network namespace is not shared",
        lambda s: s.host["NetworkMode"] in NO_NETWORK and s.told["Config"]["NetworkDisabled"],
    ),
    Rule("5.11", "memory is limited", _memory),
    Rule("5.12", "CPU priority is set", lambda s: s.host["CpuShares"] and s.host["NanoCpus"] > 0),
    Rule("5.13", "the root file system is read-only", lambda s: s.host["ReadonlyRootfs"]),
    Rule("5.14", "incoming traffic is bound to a specific interface of the host", _no_ports),
    Rule(
        "5.15",
        "the restart policy is on-failure:5 or no",
        lambda s: s.host["RestartPolicy"]["Name"] in ("", "no"),
    ),
    Rule("5.16", "the host's processes are not shared", lambda s: s.host["PidMode"] == ""),
    Rule("5.17", "the host's IPC is not shared", lambda s: s.host["IpcMode"] in OWN_NAMESPACE),
    Rule("5.18", "host devices are not exposed", _no_devices),
    Rule("5.20", "mount propagation is not shared", _never_shared),
    Rule("5.21", "the host's UTS namespace is not shared", lambda s: s.host["UTSMode"] == ""),
    Rule("5.22", "the seccomp profile is not disabled", _seccomp),
    Rule("5.23", "exec is not used with the privileged option", _no_exec_with_rights),
    Rule("5.26", "additional privileges cannot be acquired", _no_new_privileges),
    Rule("5.27", "health is checked", lambda s: "Health" in s.told["State"]),
    Rule("5.29", "processes are limited", lambda s: (s.host["PidsLimit"] or 0) > 0),
    Rule("5.30", "Docker's default bridge is not used", lambda s: not _networks(s)),
    Rule(
        "5.31",
        "the host's user namespace is not shared",
        lambda s: s.host["UsernsMode"] == "" and s.engine_has("userns"),
    ),
    Rule("5.32", "the Docker socket is not mounted", _no_socket),
)

# What a server breaks, and why it may.
EXCEPTIONS = {
    "5.13": "a server writes to its own files; the profile 'restricted' has a read-only root",
    "5.27": "whether an image has a HEALTHCHECK is its author's choice; where it has, it is run",
}

# What cannot be told from a container's settings.
NOT_OF_A_CONTAINER = {
    "5.7": "sshd: users log in to a server; an image without it has none",
    "5.19": "ulimits: the engine's, and the policy's where it sets some",
    "5.24": "exec as root: changePassword alone does it; a console is the image's own user",
    "5.25": "cgroup usage: the engine's own cgroups, tested by test_the_flavor_is_in_the_cgroup",
    "5.28": "the newest image: a tenant says which image it wants",
}


def _swarm(seen: Seen) -> str:
    return str((seen.info.get("Swarm") or {}).get("LocalNodeState", ""))


def _networks(seen: Seen) -> set[str]:
    return set(seen.told["NetworkSettings"]["Networks"] or ()) - {"none"}


def broken(seen: Seen) -> list[str]:
    """Name the rules that a container breaks without an exception."""
    return [
        f"{rule.number} {rule.title}"
        for rule in RULES
        if rule.number not in EXCEPTIONS and not rule.holds(seen)
    ]
