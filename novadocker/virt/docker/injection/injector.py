# SPDX-License-Identifier: Apache-2.0
"""Edge of injection: reads an image's lists of users, and puts a plan into a container.

Called for a container before its first start; a container never started has no process that
could swap a directory for a link while the engine writes.
"""

import io
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from oslo_log import log as logging

from novadocker.errors import (
    ContainerNotFound,
    EngineError,
    EngineOutOfSpace,
    EngineUnavailable,
    PolicyRefused,
)
from novadocker.policy import Settings
from novadocker.virt.docker.container.accounts import (
    MAPPED_IDS,
    PASSWD,
    SHADOW,
    TextFile,
    user_name,
)
from novadocker.virt.docker.container.spec import may_be_root, refuse_root
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.injection import config_drive
from novadocker.virt.docker.injection.files import SETTING, Entry, packed
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs
from novadocker.virt.docker.injection.planning import Plan, plan
from novadocker.virt.docker.injection.user_data import PROPERTY, RUN, SHELL
from novadocker.virt.nova_types import NetworkInfo

LOG = logging.getLogger(__name__)
ACCOUNTS_BYTES = 256 * 1024


def inject(
    engine: Engine,
    container: Container,
    settings: Settings,
    inputs: Inputs,
    gate: Path,
    network_info: NetworkInfo,
) -> None:
    """Plan a tenant's inputs and put them in place.

    Args:
        engine: home of the container.
        container: created and never started.
        settings: limits and rights of the container.
        inputs: data handed over.
        gate: directory of the start gate, seen by the container.
        network_info: Nova's ports, awaited for a config drive alone.

    Raises:
        PolicyRefused: a file cannot have its place in this image, the image has no shell for
            user data, or its user is root and must not be.
        ContainerNotFound: the container does not exist.
    """
    if inputs != NOTHING:
        _hand_over(engine, container, inputs, gate)
    # After the files, since one of them may have replaced the list of users.
    refuse_root_users(engine, container, settings)
    if inputs.config_drive:
        # Last: rendering waits for Neutron's ports, and all else needs none.
        config_drive.write(gate, inputs.config_drive(network_info))


def _hand_over(engine: Engine, container: Container, inputs: Inputs, gate: Path) -> None:
    # Reading costs the engine a mount of the container: nobody waits for an unused list.
    wants_users = inputs.public_key or inputs.user_data
    planned = plan(
        inputs,
        user_name(container.user),
        read_accounts(engine, container.name, PASSWD) if wants_users else TextFile(PASSWD),
        read_accounts(engine, container.name, SHADOW) if inputs.login else TextFile(SHADOW),
        read_only=container.rights.read_only,
    )
    if inputs.user_data:
        _refuse_without_shell(engine, container.name)
    _put(engine, container.name, planned, gate)


def refuse_root_users(engine: Engine, container: Container, settings: Settings) -> None:
    """Refuse a container whose process would be root under a profile without root.

    To be called before each start under new rights: the server may have rewritten its users.

    Args:
        engine: home of the container.
        container: as it is now.
        settings: limits and rights.

    Raises:
        ContainerNotFound: the container does not exist.
        PolicyRefused: the image's user is root by any name.
    """
    if not settings.root:
        passwd = read_accounts(engine, container.name, PASSWD)
        refuse_root(settings, container.user, passwd.text)


def process_user(engine: Engine, container: Container) -> str:
    """Return the user that a container's process runs as; "root" where any name may be root's.

    Args:
        engine: home of the container.
        container: as it is now.

    Raises:
        ContainerNotFound: the container does not exist.
    """
    passwd = read_accounts(engine, container.name, PASSWD)
    return "root" if may_be_root(container.user, passwd.text) else container.user


def read_accounts(engine: Engine, name: str, path: str) -> TextFile:
    """Read a list of users as the container has it, through links inside the container.

    Args:
        engine: home of the container.
        name: container's name.
        path: absolute, inside the container.

    Returns:
        The file at the end of all links; an empty text for anything but a regular file.
    """
    try:
        found = _read(engine, name, path)
        if not found and (target := engine.link_target(name, path)):
            found = _read(engine, name, target)
    except (ContainerNotFound, tarfile.TarError):
        found = None  # an image without users, or with too many
    return found or TextFile(path)


def _read(engine: Engine, name: str, path: str) -> TextFile | None:
    archived = beginning(engine.get_file(name, path), ACCOUNTS_BYTES)
    with tarfile.open(fileobj=io.BytesIO(archived)) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member and member.isreg() else None
        if member is None or content is None:
            return None
        text = content.read().decode(errors="surrogateescape")
    # The engine tells ids as its host has them, those of a container's root unmapped.
    group = member.gid - member.uid
    group = group if 0 <= group < MAPPED_IDS else 0
    return TextFile(path, text, stat.S_IMODE(member.mode), group)


def _refuse_without_shell(engine: Engine, name: str) -> None:
    if not engine.is_program(name, SHELL):
        raise PolicyRefused(
            setting=f"image property {PROPERTY}",
            value=repr(RUN),
            accepted=f"only of an image with {SHELL}, which runs them",
        )


def _put(engine: Engine, name: str, planned: Plan, gate: Path) -> None:
    for remark in planned.missing:
        LOG.info("Of the logins of %s: %s", name, remark)
    for file in planned.gate:
        (gate / file.name).write_bytes(file.content)
        (gate / file.name).chmod(file.mode)
    if planned.own:
        engine.put_files(name, packed(planned.own))
    if planned.logins:
        _put_logins(engine, name, planned.logins)
    if planned.personality:
        # Last, so that a tenant's own file wins over a key or a password of ours.
        _put_personality(engine, name, planned.personality)


def _put_logins(engine: Engine, name: str, entries: tuple[Entry, ...]) -> None:
    try:
        engine.put_files(name, packed(entries))
    except EngineUnavailable:
        raise
    except EngineError as error:
        # Odd users of a tenant's image harm that tenant's logins alone.
        LOG.warning("Neither key nor password were put into %s: %s", name, error)


def _put_personality(engine: Engine, name: str, files: tuple[Entry, ...]) -> None:
    try:
        engine.put_files(name, packed(files), keep_directories=True)
    except (EngineUnavailable, EngineOutOfSpace, ContainerNotFound):
        raise
    except EngineError as error:
        raise PolicyRefused(
            setting=SETTING,
            value=", ".join(f"/{entry.path}" for entry in files),
            accepted=f"only paths where this image can have a file ({error.values['reason']})",
        ) from error


def beginning(chunks: Iterator[bytes], size: int) -> bytes:
    """Read the beginning of a stream.

    Args:
        chunks: pieces of the stream.
        size: bytes that suffice.

    Returns:
        At least that many bytes, or all.
    """
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) >= size:
            break
    return bytes(read)
