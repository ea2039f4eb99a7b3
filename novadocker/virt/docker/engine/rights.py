# SPDX-License-Identifier: Apache-2.0
"""Rights of a container in the form of ``HostConfig``, Docker Engine API 1.41."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from novadocker.gate.start_gate import INIT, StartGate
from novadocker.policy import Rights, Ulimit

NO_NEW_PRIVILEGES = "no-new-privileges"
LABEL_INIT = "novadocker.init"
LABEL_REAPER = "novadocker.reaper"
SECCOMP, APPARMOR = "seccomp=", "apparmor="


def rights_body(rights: Rights) -> dict[str, Any]:
    """Write a container's rights.

    Args:
        rights: all rights of the container.

    Returns:
        Members of ``HostConfig``: all that have to do with rights, so that none of another
        container's is left, and none is the engine's to choose.
    """
    return {
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": list(rights.capabilities),
        "SecurityOpt": list(_security_options(rights)),
        "Sysctls": dict(rights.sysctls),
        "ReadonlyRootfs": rights.read_only,
        "Tmpfs": dict(rights.tmpfs),
        "Ulimits": [
            {"Name": each.name, "Soft": each.soft, "Hard": each.hard} for each in rights.ulimits
        ],
        "ShmSize": rights.shm_bytes,
        "Runtime": rights.runtime,
        # Namespaces are its own: the last three are where they are not named as the host's.
        "IpcMode": "private",
        # Nothing of Docker's networks; engines from 26 on would read back "bridge".
        "NetworkMode": "none",
        "CgroupnsMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "UsernsMode": "",
        "Devices": [],
        "DeviceRequests": [],
        "DeviceCgroupRules": [],
        "Binds": [],
        "GroupAdd": [],
        "OomKillDisable": False,
        "OomScoreAdj": 0,
        "RestartPolicy": {"Name": "no"},
    }


def rights_labels(rights: Rights) -> dict[str, str]:
    """Write rights that the engine has no member for.

    Args:
        rights: all rights of the container.

    Returns:
        Labels, all of them, so that none of another container's is left.
    """
    return {
        LABEL_INIT: str(rights.init).lower(),
        LABEL_REAPER: str(rights.reaper).lower(),
    }


def rights_entrypoint(words: Sequence[str], rights: Rights) -> list[str]:
    """Put our init behind the start gate, or take it away.

    Args:
        words: first words of a container's command, another container's among them.
        rights: all rights of the container.

    Returns:
        The words, with an init where the rights have one and there is a gate.
    """
    gate = StartGate.entrypoint()
    if tuple(words[: len(gate)]) != gate:
        return list(words)
    rest = tuple(words[len(gate) :])
    if rest[: len(INIT)] == INIT:
        rest = rest[len(INIT) :]
    return [*gate, *(INIT if rights.reaper else ()), *rest]


def parse_rights(host_config: Mapping[str, Any], labels: Mapping[str, str]) -> Rights:
    """Read a container's rights.

    Args:
        host_config: member ``HostConfig`` of ``GET /containers/NAME/json``.
        labels: all labels of the container.

    Returns:
        The rights.
    """
    options = host_config.get("SecurityOpt") or ()
    return Rights(
        capabilities=tuple(
            sorted(name.removeprefix("CAP_") for name in host_config.get("CapAdd") or ())
        ),
        no_new_privileges=any(
            each in (NO_NEW_PRIVILEGES, f"{NO_NEW_PRIVILEGES}:true") for each in options
        ),
        seccomp=_option(options, SECCOMP),
        apparmor=_option(options, APPARMOR),
        sysctls=dict(sorted((host_config.get("Sysctls") or {}).items())),
        read_only=bool(host_config.get("ReadonlyRootfs")),
        tmpfs=host_config.get("Tmpfs") or {},
        ulimits=tuple(
            Ulimit(each["Name"], each["Soft"], each["Hard"])
            for each in host_config.get("Ulimits") or ()
        ),
        shm_bytes=host_config.get("ShmSize") or 0,
        runtime=host_config.get("Runtime") or "",
        init=labels.get(LABEL_INIT) == "true",
        reaper=labels.get(LABEL_REAPER) == "true",
    )


def _security_options(rights: Rights) -> Iterator[str]:
    # Left out it is off, unless the operator has set it for all of the engine's containers.
    if rights.no_new_privileges:
        yield f"{NO_NEW_PRIVILEGES}:true"
    if rights.seccomp:
        yield f"{SECCOMP}{rights.seccomp}"
    if rights.apparmor:
        yield f"{APPARMOR}{rights.apparmor}"


def _option(options: Any, beginning: str) -> str:
    return next(
        (each.removeprefix(beginning) for each in options if each.startswith(beginning)), ""
    )


NO_RIGHTS = parse_rights({}, {})
