# SPDX-License-Identifier: Apache-2.0
"""Data handed over by a tenant when a server is built: values, and checks without a container."""

from dataclasses import dataclass

from novadocker.errors import PolicyRefused
from novadocker.policy import Settings
from novadocker.policy.extra_specs import shown
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.injection.config_drive import Render
from novadocker.virt.docker.injection.files import SETTING, Entry
from novadocker.virt.docker.injection.user_data import PROPERTY, RUN, UserData


@dataclass(frozen=True)
class Inputs:
    """Data in place before the first instruction of an image.

    Attributes:
        files: personality files, in the tenant's order.
        login: administrator's password; None sets none.
        user_data: script to be run; None where programs of the image ask Nova for user data.
        config_drive: renderer of the config drive from ``network_info``, so that ports come
            first; None makes no drive.
        public_key: key pair in OpenSSH's form; None lets nobody in.
    """

    files: tuple[Entry, ...] = ()
    login: Login | None = None
    user_data: UserData | None = None
    config_drive: Render | None = None
    public_key: str | None = None


NOTHING = Inputs()


def first_words(inputs: Inputs, settings: Settings) -> tuple[str, ...]:
    """Check inputs against a container's settings and name the program before its command.

    Called before a container exists, since the engine fixes the command at creation.

    Args:
        inputs: data handed over.
        settings: limits and rights.

    Returns:
        Words before the image's command; none where no user data are run.

    Raises:
        PolicyRefused: files are handed over for a root file system without write access.
    """
    if settings.rights.read_only:
        _refuse_files(inputs)
    return inputs.user_data.first_words if inputs.user_data else ()


def _refuse_files(inputs: Inputs) -> None:
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
