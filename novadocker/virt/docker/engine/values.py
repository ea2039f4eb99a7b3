# SPDX-License-Identifier: Apache-2.0
"""Answers of the engine, as frozen values.

Shapes follow the Docker Engine API 1.41 (https://docs.docker.com/engine/api/v1.41/).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from novadocker.checkpoint.places import RUNTIME_NAME
from novadocker.policy import Limits, Rights
from novadocker.virt.docker.engine.health import Health, Probe
from novadocker.virt.docker.engine.limits import NO_LIMITS, parse_limits
from novadocker.virt.docker.engine.rights import NO_RIGHTS, parse_rights

RUNC = "runc"
_CONTAINERD = "io.containerd.snapshotter."
# Members of ``/info``: false where the kernel cannot keep a limit. The engine takes a container
# with that limit all the same, and leaves it out with a warning.
_LIMITS = ("MemoryLimit", "PidsLimit", "CpuCfsQuota")


class State(enum.StrEnum):
    """``State.Status`` of a container."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


@dataclass(frozen=True)
class EngineInfo:
    """The engine and its host, from ``/version`` and ``/info``.

    Attributes:
        api_versions: the oldest and the newest API version that it speaks, as (major, minor).
        components: versions by component, such as ``{"Engine": "20.10.24", "runc": "1.1.5"}``.
        cpus: processors of the host.
        memory_bytes: memory of the host.
        architecture: as the kernel names it, such as "x86_64".
        kernel: release of the kernel.
        storage_driver: such as "overlay2".
        backing_filesystem: below the storage driver, such as "extfs"; "" where not told.
        root_directory: where the engine keeps its data, on its own host.
        security_options: names such as "userns", "seccomp", "apparmor".
        live_restore: True keeps containers alive during a restart of the engine.
        containerd_store: True with images kept by containerd and named by manifest.
        warnings: shortcomings in the engine's own words.
        seccomp_profile: profile of containers that name none; "" where not told.
        runtimes: names of the runtimes for containers.
        default_runtime: runtime of containers that name none.
        cgroup_version: "1" or "2".
        cgroup_driver: "cgroupfs" or "systemd"; "none" without any control group.
        lost_limits: limits that the engine takes and its kernel cannot keep.
    """

    api_versions: tuple[tuple[int, int], tuple[int, int]]
    components: Mapping[str, str]
    cpus: int
    memory_bytes: int
    architecture: str
    kernel: str
    storage_driver: str
    backing_filesystem: str
    root_directory: str
    security_options: frozenset[str]
    live_restore: bool
    containerd_store: bool = False
    warnings: tuple[str, ...] = ()
    seccomp_profile: str = ""
    runtimes: frozenset[str] = frozenset()
    default_runtime: str = "runc"
    cgroup_version: str = "2"
    cgroup_driver: str = "cgroupfs"
    lost_limits: tuple[str, ...] = ()

    @classmethod
    def parse(cls, version: Mapping[str, Any], info: Mapping[str, Any]) -> Self:
        """Read the two answers.

        Args:
            version: the body of ``GET /version``.
            info: the body of ``GET /info``.

        Returns:
            The value.
        """
        status = dict(info.get("DriverStatus") or [])
        options = info.get("SecurityOptions") or []
        seccomp = [option for option in options if option.startswith("name=seccomp,")]
        return cls(
            api_versions=(
                api_version(version.get("MinAPIVersion", "1.12")),
                api_version(version["ApiVersion"]),
            ),
            components=_components(version),
            cpus=info["NCPU"],
            memory_bytes=info["MemTotal"],
            architecture=info["Architecture"],
            kernel=info.get("KernelVersion", ""),
            storage_driver=info["Driver"],
            backing_filesystem=status.get("Backing Filesystem", ""),
            root_directory=info["DockerRootDir"],
            security_options=frozenset(
                option.split(",")[0].removeprefix("name=") for option in options
            ),
            live_restore=bool(info.get("LiveRestoreEnabled")),
            containerd_store=str(status.get("driver-type", "")).startswith(_CONTAINERD),
            warnings=tuple(info.get("Warnings") or ()),
            seccomp_profile=seccomp[0].partition("profile=")[2] if seccomp else "",
            runtimes=frozenset(info.get("Runtimes") or ()),
            default_runtime=info.get("DefaultRuntime") or "runc",
            cgroup_version=str(info.get("CgroupVersion") or "1"),
            cgroup_driver=info.get("CgroupDriver") or "cgroupfs",
            lost_limits=tuple(each for each in _LIMITS if not info.get(each, True)),
        )


def api_version(text: str) -> tuple[int, int]:
    """Read "1.41" as (1, 41).

    Args:
        text: an API version as the engine writes it.

    Returns:
        Major and minor number.
    """
    major, minor = text.split(".")
    return int(major), int(minor)


@dataclass(frozen=True)
class Image:
    """An image that the engine has, from ``GET /images/NAME/json``.

    Attributes:
        id: "sha256:" and the digest of its configuration.
        tags: "repository:tag" names.
        size: bytes of its unpacked layers.
        entrypoint: words of ENTRYPOINT.
        command: words of CMD.
        environment: "NAME=value" of each ENV.
        user: USER; "" is root.
        stop_signal: STOPSIGNAL; "" is SIGTERM.
        last_tagged: when a tag was last put on it, ISO 8601.
        probe: settings of HEALTHCHECK; None without.
        layers: diff IDs of its layers, from the lowest up.
    """

    id: str
    tags: tuple[str, ...] = ()
    size: int = 0
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    stop_signal: str = ""
    last_tagged: str = ""
    probe: Probe | None = None
    layers: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read an answer of the engine.

        Args:
            body: body of ``GET /images/NAME/json``.

        Returns:
            The value.
        """
        config = body.get("Config") or {}
        return cls(
            id=body["Id"],
            tags=tuple(body.get("RepoTags") or ()),
            size=body.get("Size", 0),
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            environment=tuple(config.get("Env") or ()),
            user=config.get("User") or "",
            stop_signal=config.get("StopSignal") or "",
            last_tagged=(body.get("Metadata") or {}).get("LastTagTime") or "",
            probe=Probe.parse(config),
            layers=tuple((body.get("RootFS") or {}).get("Layers") or ()),
        )


@dataclass(frozen=True)
class Container:
    """A container as it is now, from ``GET /containers/NAME/json``.

    Attributes:
        id: the engine's identifier, 64 hexadecimal digits.
        name: without the leading slash.
        labels: as it was created with.
        state: state at the moment of the answer.
        pid: first process on the engine's host; 0 without one.
        exit_code: exit code of the last run; 0 before its end.
        out_of_memory: True after an end by the memory limit.
        error: the engine's words about a start that failed.
        finished_at: ISO 8601 time of the last end.
        image: id of the image.
        user: the user its process runs as; "" is root.
        root: where the engine mounts its root while it runs; "" where that is not told.
        writable: directory of the container's own files on the engine's host; "" where the
            storage driver has no such directory.
        volumes: names of its volumes by the paths where it sees them.
        limits: limits of its resources.
        rights: rights of its processes.
        storage_driver: keeper of its files, such as "overlay2".
        programs: ids of programs run beside the container's own.
        started_at: ISO 8601 time of the last start.
        hostname: name of its processes at creation.
        health: result of the engine's own probes; None where the driver probes, or nobody.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    state: State
    pid: int = 0
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""
    finished_at: str = ""
    image: str = ""
    user: str = ""
    root: str = ""
    writable: str = ""
    volumes: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    rights: Rights = NO_RIGHTS
    storage_driver: str = ""
    programs: tuple[str, ...] = ()
    started_at: str = ""
    hostname: str = ""
    health: Health | None = None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read the engine's answer.

        Args:
            body: body of ``GET /containers/NAME/json``.

        Returns:
            The value.
        """
        state = body["State"]
        return cls(
            id=body["Id"],
            name=body["Name"].removeprefix("/"),
            labels=body["Config"].get("Labels") or {},
            state=State(state["Status"]),
            pid=state["Pid"],
            exit_code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            error=state["Error"],
            finished_at=state["FinishedAt"],
            image=body["Image"],
            user=body["Config"].get("User") or "",
            root=((body.get("GraphDriver") or {}).get("Data") or {}).get("MergedDir", ""),
            writable=((body.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir", ""),
            volumes={
                mount["Destination"]: mount["Name"]
                for mount in body.get("Mounts") or ()
                if mount["Type"] == "volume"
            },
            limits=parse_limits(body.get("HostConfig") or {}),
            rights=parse_rights(body.get("HostConfig") or {}, body["Config"].get("Labels") or {}),
            storage_driver=body.get("Driver", ""),
            programs=tuple(body.get("ExecIDs") or ()),
            started_at=state.get("StartedAt", ""),
            hostname=body["Config"].get("Hostname") or "",
            health=Health.parse(state),
        )

    @property
    def alive(self) -> bool:
        """True with a living process."""
        return self.state in (State.RUNNING, State.PAUSED, State.RESTARTING)


@dataclass(frozen=True)
class Event:
    """Event of a container, from one line of ``GET /events``.

    Attributes:
        action: such as "start", "die", "pause", "unpause", "destroy", "oom".
        container: name of the container.
        labels: labels of the container, and additions of the engine, such as "exitCode".
        nanoseconds: when, since the epoch.
    """

    action: str
    container: str
    labels: Mapping[str, str]
    nanoseconds: int

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read one event.

        Args:
            body: a decoded line of the stream.

        Returns:
            The value.
        """
        attributes = body["Actor"]["Attributes"]
        return cls(
            action=body["Action"],
            container=attributes.get("name", ""),
            labels=attributes,
            nanoseconds=body["timeNano"],
        )


def _components(version: Mapping[str, Any]) -> dict[str, str]:
    # The engine asks its default runtime for the version, and calls the component by the
    # runtime's name. Ours is runc, and answers as runc does.
    found = {each["Name"]: each["Version"] for each in version.get("Components") or []}
    return {RUNC if name == RUNTIME_NAME else name: told for name, told in found.items()}
