# SPDX-License-Identifier: Apache-2.0
"""Where one Docker Engine lives."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EnginePaths:
    """Where one engine lives.

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
        """The Docker API, as a client wants it."""
        return f"unix://{self.socket}"

    @property
    def containerd_socket(self) -> Path:
        """What dockerd and the shims speak to."""
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
        """Dockerd's process id; a stale one can keep it from starting."""
        return self.run / "docker.pid"

    @property
    def cgroup(self) -> str:
        """The parent of all our containers' cgroups: by it they are found again."""
        digest = hashlib.sha256(str(self.run).encode()).hexdigest()
        return f"novadocker-{digest[:8]}"
