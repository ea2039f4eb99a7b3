# SPDX-License-Identifier: Apache-2.0
"""User data that are a script, run once before the image's command.

For images without cloud-init that ask for it by the property ``docker_user_data=run``. A shell
script of ours is what the start gate becomes; it ends by becoming the image's command.
"""

import shutil
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
class UserData:
    """User data of a server whose image wants them run.

    Attributes:
        instance: the server's id, by which what ran is remembered.
        content: as the tenant gave them.
    """

    instance: str
    content: bytes

    @property
    def is_script(self) -> bool:
        """Whether a kernel can run them; all else is left alone."""
        return self.content.startswith(b"#!")

    def first_words(self) -> tuple[str, ...]:
        """Return what comes before the image's command.

        Returns:
            The program that runs the user data, as the container sees it.
        """
        return SHELL, f"{SEEN_AT}/{PROGRAM.name}", self.instance

    def write(self, gate: Path) -> None:
        """Put the program and the user data beside the gate; safe to repeat.

        Args:
            gate: the directory of the instance's gate.
        """
        shutil.copyfile(PROGRAM, gate / PROGRAM.name)
        (gate / PROGRAM.name).chmod(0o755)
        if self.is_script:
            (gate / "user-data").write_bytes(self.content)
            (gate / "user-data").chmod(0o755)

    def entries(self, owner: Home) -> tuple[Entry, ...]:
        """Describe where it is remembered that they ran.

        Args:
            owner: the user that the image's command runs as.

        Returns:
            A directory that this user may write to.
        """
        return (directory(f"{MARKERS}/{self.instance}/sem").owned_by(owner),)


def asked_for(instance: str, content: bytes | None, wanted: str | None) -> UserData | None:
    """Say what is to be run.

    Args:
        instance: the server's id.
        content: its user data.
        wanted: the image's property, None where it has none.

    Returns:
        The user data, or None where nothing is to be run.

    Raises:
        PolicyRefused: the property has a value that means nothing.
    """
    if wanted is None:
        return None
    if wanted != RUN:
        raise PolicyRefused(
            setting=f"image property {PROPERTY}", value=repr(wanted), accepted=repr(RUN)
        )
    return UserData(instance, content) if content else None
