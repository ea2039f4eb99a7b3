# SPDX-License-Identifier: Apache-2.0
"""Paths of a Docker Engine."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EnginePaths:
    """Paths of a Docker Engine.

    Args:
        data: images and containers; may be large, must be traversable by everyone, since
            the containers' root is an ordinary user of the host.
        run: sockets and process ids; short, since a socket's path has 107 bytes at most.
    """

    data: Path
    run: Path

    @property
    def socket(self) -> Path:
        """The Docker API."""
        return self.run / "docker.sock"

    @property
    def url(self) -> str:
        """URL of the Docker API."""
        return f"unix://{self.socket}"

    @property
    def containerd_socket(self) -> Path:
        """Socket of containerd for dockerd and the shims."""
        return self.run / "containerd.sock"

    @property
    def containerd_state(self) -> Path:
        """The bundles of running containers."""
        return self.run / "containerd"

    @property
    def containerd_toml(self) -> Path:
        """Containerd's configuration."""
        return self.run / "containerd.toml"

    @property
    def daemon_json(self) -> Path:
        """Dockerd's configuration: without a file of ours the system's would be read."""
        return self.run / "daemon.json"

    @property
    def pidfile(self) -> Path:
        """Dockerd's process id; a stale file can keep dockerd from starting."""
        return self.run / "docker.pid"

    @property
    def cgroup(self) -> str:
        """Parent of all our containers' cgroups, by which containers are found again."""
        digest = hashlib.sha256(str(self.run).encode()).hexdigest()
        return f"novadocker-{digest[:8]}"
