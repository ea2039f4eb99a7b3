# SPDX-License-Identifier: Apache-2.0
"""User data in the form of a script, run once before the image's command.

For images without cloud-init that ask for it by the property ``docker_user_data=run``. A shell
script of ours is what the start gate becomes; it ends by becoming the image's command.
"""

from dataclasses import dataclass
from pathlib import Path

from novadocker.errors import PolicyRefused
from novadocker.gate import start_gate
from novadocker.gate.start_gate import SEEN_AT
from novadocker.virt.docker.container.accounts import Home
from novadocker.virt.docker.injection.files import Entry, directory

PROPERTY = "docker_user_data"
RUN = "run"
SHELL = "/bin/sh"
PROGRAM = Path(start_gate.__file__).with_name("user_data.sh")
MARKERS = "var/lib/cloud/instances"  # cloud-init keeps its own there, by instance as well


@dataclass(frozen=True)
class GateFile:
    """A file beside the start gate, on the host.

    Attributes:
        name: file name in the gate's directory.
        content: bytes of the file.
        mode: permissions, the same whatever the umask is.
    """

    name: str
    content: bytes
    mode: int = 0o755


@dataclass(frozen=True)
class UserData:
    """User data of a server whose image wants a run.

    Attributes:
        instance: id of the server, under which a run is remembered.
        content: bytes as given by the tenant.
    """

    instance: str
    content: bytes

    @property
    def is_script(self) -> bool:
        """Fitness for a kernel to run; all else is left alone."""
        return self.content.startswith(b"#!")

    @property
    def first_words(self) -> tuple[str, ...]:
        """Words before the image's command: the program behind the gate, as seen inside."""
        return SHELL, f"{SEEN_AT}/{PROGRAM.name}", self.instance

    @property
    def gate_files(self) -> tuple[GateFile, ...]:
        """Program and user data beside the gate."""
        program = GateFile(PROGRAM.name, PROGRAM.read_bytes())
        return (program, GateFile("user-data", self.content)) if self.is_script else (program,)

    def entries(self, owner: Home) -> tuple[Entry, ...]:
        """Describe the directory with the mark of a run.

        Args:
            owner: user of the image's command, who writes the mark.

        Returns:
            The directory.
        """
        return (directory(f"{MARKERS}/{self.instance}/sem").owned_by(owner),)


def asked_for(instance: str, content: bytes | None, wanted: str | None) -> UserData | None:
    """Choose the user data to be run.

    Args:
        instance: id of the server.
        content: user data of the server.
        wanted: property of the image, None where the image has none.

    Returns:
        The user data, or None where nothing is to be run.

    Raises:
        PolicyRefused: the property has a value without a meaning.
    """
    if wanted is None:
        return None
    if wanted != RUN:
        raise PolicyRefused(
            setting=f"image property {PROPERTY}", value=repr(wanted), accepted=repr(RUN)
        )
    return UserData(instance, content) if content else None
