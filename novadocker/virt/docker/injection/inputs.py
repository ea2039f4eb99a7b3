# SPDX-License-Identifier: Apache-2.0
"""What a tenant hands to a server when it is built, and what of it is put where. Pure."""

from dataclasses import dataclass

from novadocker.errors import PolicyRefused
from novadocker.policy.extra_specs import shown
from novadocker.virt.docker.container.accounts import Home, Login
from novadocker.virt.docker.injection.config_drive import Render, links
from novadocker.virt.docker.injection.files import SETTING, Entry
from novadocker.virt.docker.injection.user_data import PROPERTY, RUN, UserData


@dataclass(frozen=True)
class Inputs:
    """What is in place before an image's first instruction, beside its key pair.

    Attributes:
        files: the tenant's own ("personality").
        login: the administrator's password; None sets none.
        user_data: those that are to be run; the image's programs ask Nova for others.
        config_drive: makes the tree of it of network_info, for which it waits; None makes none.
    """

    files: tuple[Entry, ...] = ()
    login: Login | None = None
    user_data: UserData | None = None
    config_drive: Render | None = None

    def first_words(self) -> tuple[str, ...]:
        """Return what comes before the image's command.

        Returns:
            The program that runs the user data, where they are to be run.
        """
        return self.user_data.first_words() if self.user_data else ()

    def entries(self, owner: Home) -> tuple[Entry, ...]:
        """Describe what is put into the container, the tenant's files excepted.

        Args:
            owner: the user that the image's command runs as.

        Returns:
            The entries.
        """
        drive = links() if self.config_drive else ()
        return drive + (self.user_data.entries(owner) if self.user_data else ())


NOTHING = Inputs()


def refuse_files(inputs: Inputs) -> None:
    """Refuse what would have to be written into a root file system that is read-only.

    Args:
        inputs: what a tenant handed over.

    Raises:
        PolicyRefused: some of it is files.
    """
    asked = {
        SETTING: ", ".join(f"/{each.path}" for each in inputs.files),
        f"image property {PROPERTY}": RUN if inputs.user_data else "",
    }
    for setting, value in asked.items():
        if value:
            raise PolicyRefused(
                setting=setting,
                value=shown(value),
                accepted="none where the root file system is read-only",
            )
