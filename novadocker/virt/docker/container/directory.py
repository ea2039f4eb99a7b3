# SPDX-License-Identifier: Apache-2.0
"""Files of one instance on the host: the bound files of its container, and its gate.

They are readable for everybody, since the container's users are strangers to the host, in a
directory that strangers to the service cannot enter: the engine binds them as the host's root.
Read-only, since what a tenant could write there would fill the host's disk.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from novadocker.gate.start_gate import SEEN_AT, StartGate
from novadocker.policy import notice

HOSTS = "/etc/hosts"
HOSTNAME = "/etc/hostname"
RESOLV_CONF = "/etc/resolv.conf"
BOUND = (HOSTS, HOSTNAME, RESOLV_CONF)


class InstanceDirectory:
    """``<instances_path>/<instance uuid>``.

    Args:
        path: the directory.
        name: the instance's container, for messages.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.gate = StartGate(path / "gate", name)

    def make(self) -> None:
        """Make the directory with its gate and empty files; files of before are kept."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self.gate.make()
        for seen in BOUND:
            self._file(seen).touch()
            self._file(seen).chmod(0o644)

    def write(self, texts: Mapping[str, str]) -> None:
        """Write bound files in place, for a running container to see the change.

        Args:
            texts: contents by the paths where the container sees them.
        """
        for seen, text in texts.items():
            file = self._file(seen)
            if file.read_bytes() != text.encode():  # nobody is to find an empty one for nothing
                file.write_text(text, encoding="utf-8")

    def tell_rights(self, text: str) -> None:
        """Put an account of the server's rights where the server sees the text.

        Args:
            text: account of the rights.
        """
        self._rights.write_text(text, encoding="utf-8")
        self._rights.chmod(0o644)

    def told_rights(self) -> str:
        """Return the account of the server's rights.

        Returns:
            The text as put there; "" for a server made without.
        """
        return self._rights.read_text(encoding="utf-8") if self._rights.exists() else ""

    def keep_console(self, output: bytes) -> None:
        """Keep what a container wrote to its console on another host.

        Args:
            output: console log, the newest last.
        """
        self._console.write_bytes(output)

    def kept_console(self) -> bytes:
        """Return the console log of another host; b"" for a server that never moved."""
        return self._console.read_bytes() if self._console.exists() else b""

    def binds(self) -> dict[str, str]:
        """List the files bound into the container.

        Returns:
            Paths on the host by the paths where the container sees them.
        """
        files = {seen: str(self._file(seen)) for seen in BOUND}
        return {SEEN_AT: str(self.gate.directory), **files}

    def remove(self) -> None:
        """Remove the directory with its content; absence is no error."""
        if self.path.exists():
            shutil.rmtree(self.path)

    @property
    def _rights(self) -> Path:
        return self.gate.directory / notice.FILE

    @property
    def _console(self) -> Path:
        return self.path / "console"

    def _file(self, seen: str) -> Path:
        return self.path / Path(seen).name
