# SPDX-License-Identifier: Apache-2.0
"""Plan of a container's inputs: every file with path, owner and mode. Pure.

Called once for each new container, by ``injection.injector`` alone, when the engine can show
the image's lists of users.
"""

from dataclasses import dataclass

from novadocker.virt.docker.container.accounts import Home, Login, TextFile, home_of, owner_of
from novadocker.virt.docker.injection import config_drive
from novadocker.virt.docker.injection.files import Entry, key_entries
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.injection.user_data import GateFile


@dataclass(frozen=True)
class Plan:
    """Files of one container before its first start, in order of creation.

    Attributes:
        own: links and directories of the driver.
        logins: key and password; a failure costs the tenant a login and no server.
        personality: tenant's files; a failure is the request's.
        gate: files beside the start gate, on the host.
        missing: remarks for the log about logins without a place in the image.
    """

    own: tuple[Entry, ...] = ()
    logins: tuple[Entry, ...] = ()
    personality: tuple[Entry, ...] = ()
    gate: tuple[GateFile, ...] = ()
    missing: tuple[str, ...] = ()


def plan(
    inputs: Inputs, user: str, passwd: TextFile, shadow: TextFile, *, read_only: bool = False
) -> Plan:
    """Plan the inputs of one container.

    Args:
        inputs: data handed over.
        user: USER of the image without its group; "" is root.
        passwd: passwd(5) of the image.
        shadow: shadow(5) of the image.
        read_only: absence of write access to the root file system, the driver's included.

    Returns:
        The plan; a read-only container gets files beside the gate and nothing inside.
    """
    script = inputs.user_data
    gate = script.gate_files if script else ()
    if read_only:
        lost = bool(inputs.public_key or inputs.login)
        return Plan(gate=gate, missing=("its root file system is read-only",) if lost else ())
    password, no_password = _password(inputs.login, shadow)
    home, owner = home_of(user, passwd.text), owner_of(user, passwd.text)
    key, no_key = _key(inputs.public_key, user, home)
    drive = config_drive.links() if inputs.config_drive else ()
    return Plan(
        own=drive + (script.entries(owner) if script else ()),
        logins=key + password,
        personality=inputs.files,
        gate=gate,
        missing=no_key + no_password,
    )


def _key(
    public_key: str | None, user: str, home: Home | None
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    if not public_key:
        return (), ()
    if home:
        return key_entries(home, public_key), ()
    return (), (f"user {user} has no home in the image, and gets no key",)


def _password(login: Login | None, shadow: TextFile) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    if not login:
        return (), ()
    if text := login.write_to_shadow(shadow.text):
        content = text.encode(errors="surrogateescape")
        path = shadow.path.removeprefix("/")
        return (Entry(path, content=content, mode=shadow.mode, gid=shadow.gid),), ()
    return (), (f"user {login.user} is not in {shadow.path}, and gets no password",)
