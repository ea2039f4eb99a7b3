# SPDX-License-Identifier: Apache-2.0
"""Docker Engine of our own: containerd and dockerd apart from the system's.

Every path, the configuration files and the cgroup are named, because each has a default
that a system engine uses too.
"""

import json
from pathlib import Path

from novadocker.checkpoint.places import RUNTIME_NAME, RUNTIME_PROGRAM
from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.machine import remains_of_cloud
from novadocker.cloud.machine.command import Command

CONTAINERD = "containerd"
DOCKERD = "dockerd"

_CONTAINERD_TOML = """\
version = 2
root = "{root}"
state = "{state}"
# CRI opens a TCP port, opt makes /opt/containerd: neither is for us.
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]

[grpc]
  address = "{address}"
"""
# Containerd's namespaces. By default engines from 23 on put remapped containers into others than
# 20.10 does, and an engine that is upgraded under running servers would lose every one of them.
# Only the file counts, not the flags of these names.
_DAEMON_JSON = {
    # Servers that are to be suspended have it from their creation on.
    "default-runtime": RUNTIME_NAME,
    "runtimes": {RUNTIME_NAME: {"path": str(RUNTIME_PROGRAM)}},
    "containerd-namespace": "moby",
    "containerd-plugins-namespace": "plugins.moby",
}


def configuration(paths: EnginePaths) -> dict[Path, str]:
    """Return the engine's configuration files with the content."""
    containerd = _CONTAINERD_TOML.format(
        root=paths.data / "containerd",
        state=paths.containerd_state,
        address=paths.containerd_socket,
    )
    return {
        paths.containerd_toml: containerd,
        paths.daemon_json: json.dumps(_DAEMON_JSON, indent=2) + "\n",
    }


def commands(paths: EnginePaths) -> tuple[Command, Command]:
    """Return containerd and dockerd, in the order of start."""
    containerd = Command(CONTAINERD, ("containerd", "--config", str(paths.containerd_toml)))
    dockerd = Command(
        DOCKERD,
        (
            "dockerd",
            f"--config-file={paths.daemon_json}",
            f"--host={paths.url}",
            "--group=root",
            f"--containerd={paths.containerd_socket}",
            f"--data-root={paths.data / 'docker'}",
            f"--exec-root={paths.run / 'exec'}",
            f"--pidfile={paths.pidfile}",
            f"--cgroup-parent=/{paths.cgroup}",
            # One driver on every host: systemd's wants a slice's name as the parent.
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--userns-remap=default",
            "--live-restore",
            # Networks are Neutron's; these keep the engine's hands off the host's.
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--userland-proxy=false",
        ),
    )
    return containerd, dockerd


def prepare(paths: EnginePaths) -> None:
    """Make the directories and write the configuration; may be repeated.

    A stale process id file is removed: call this while the engine is down.
    """
    for directory in (paths.data, paths.run):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o711)
    for path, content in configuration(paths).items():
        path.write_text(content)
    paths.pidfile.unlink(missing_ok=True)


def sweep(paths: EnginePaths) -> None:
    """End the survivors of containerd and dockerd: containers, shims, mounts, cgroups.

    Call it when both have ended; live-restore keeps containers beyond dockerd's end.
    """
    remains_of_cloud.end_cgroup(paths.cgroup)
    remains_of_cloud.end_shims(paths.containerd_socket, paths.containerd_state)
    remains_of_cloud.unmount_below(paths.run)
    remains_of_cloud.unmount_below(paths.data)
    remains_of_cloud.remove_cgroup(paths.cgroup)
