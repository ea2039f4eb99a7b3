# SPDX-License-Identifier: Apache-2.0
"""What is put into a container before it runs for the first time."""

import io
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from oslo_log import log as logging

from novadocker.errors import (
    ContainerNotFound,
    EngineError,
    EngineOutOfSpace,
    EngineUnavailable,
    PolicyRefused,
)
from novadocker.virt.docker.container.accounts import (
    MAPPED_IDS,
    PASSWD,
    ROOTS,
    SHADOW,
    Login,
    home_of,
    owner_of,
)
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.injection.files import (
    SETTING,
    Entry,
    key_entries,
    packed,
)
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.injection.user_data import PROPERTY, RUN, SHELL

LOG = logging.getLogger(__name__)
ACCOUNTS_BYTES = 256 * 1024


@dataclass(frozen=True)
class Found:
    """A text file of an image; the one that is not there is empty.

    Attributes:
        text: what can be read of it; what is no UTF-8 is written as it was.
        mode: its rights.
        gid: its group inside the container, where root owns it.
    """

    text: str = ""
    mode: int = 0
    gid: int = 0


class Injection:
    """What is put into one container.

    Args:
        engine: where it is.
        name: the container's.
        user: as whom its process will run.
    """

    def __init__(self, engine: Engine, name: str, user: str) -> None:
        self._engine = engine
        self._name = name
        self._user = user.partition(":")[0]

    def put(self, inputs: Inputs, public_key: str | None) -> None:
        """Put all of it there.

        Args:
            inputs: what a tenant handed over.
            public_key: who owns it is let in; None where there is none.

        Raises:
            PolicyRefused: a file cannot have its place in this image, or its user data cannot
                be run.
            ContainerNotFound: the container does not exist.
        """
        if inputs.user_data and not self._engine.is_program(self._name, SHELL):
            raise PolicyRefused(
                setting=f"image property {PROPERTY}",
                value=repr(RUN),
                accepted=f"only of an image with {SHELL}, which runs them",
            )
        if inputs.user_data or inputs.config_drive:
            owner = owner_of(self._user, self.passwd())
            self._engine.put_files(self._name, packed(inputs.entries(owner)))
        self._let_in(public_key, inputs.login)
        if inputs.files:
            self._put_personality(inputs.files)

    def _let_in(self, public_key: str | None, login: Login | None) -> None:
        # What a tenant's image makes of its users harms that tenant's logins alone.
        try:
            entries = self._key(public_key) + self._password(login)
            if entries:
                self._engine.put_files(self._name, packed(entries))
        except EngineUnavailable:
            raise
        except EngineError as error:
            LOG.warning("Neither key nor password were put into %s: %s", self._name, error)

    def _key(self, public_key: str | None) -> tuple[Entry, ...]:
        if not public_key:
            return ()
        if home := home_of(self._user, self.passwd()):
            return key_entries(home, public_key)
        LOG.warning(
            "No key was put into %s: user %s has no home in the image", self._name, self._user
        )
        return ()

    def _password(self, login: Login | None) -> tuple[Entry, ...]:
        if not login:
            return ()
        found = self._file(SHADOW)
        if shadow := login.into(found.text):
            content = shadow.encode(errors="surrogateescape")
            return (
                Entry(SHADOW.removeprefix("/"), content=content, mode=found.mode, gid=found.gid),
            )
        # Nova makes up a password for each server: no news where none asked for it.
        LOG.info(
            "No password was put into %s: user %s is not in %s of the image",
            *(self._name, login.user, SHADOW),
        )
        return ()

    def _put_personality(self, files: tuple[Entry, ...]) -> None:
        try:
            self._engine.put_files(self._name, packed(files), keep_directories=True)
        except (EngineUnavailable, EngineOutOfSpace, ContainerNotFound):
            raise
        except EngineError as error:
            raise PolicyRefused(
                setting=SETTING,
                value=", ".join(f"/{entry.path}" for entry in files),
                accepted=f"only paths where this image can have a file ({error.values['reason']})",
            ) from error

    def passwd(self) -> str:
        """Read who is who in the container, for a user who is not root.

        Returns:
            Text in the form of passwd(5); "" where there is none, and for root.
        """
        return "" if self._user in ROOTS else self._file(PASSWD).text

    def _file(self, path: str) -> Found:
        try:
            read = beginning(self._engine.get_file(self._name, path), ACCOUNTS_BYTES)
            with tarfile.open(fileobj=io.BytesIO(read)) as archive:
                member = archive.next()
                content = archive.extractfile(member) if member and member.isreg() else None
                if member is None or content is None:
                    return Found()
                text = content.read().decode(errors="surrogateescape")
        except (ContainerNotFound, tarfile.TarError):
            return Found()  # an image without users, or with too many
        # The engine tells ids as its host has them, those of a container's root unmapped.
        group = member.gid - member.uid
        return Found(text, stat.S_IMODE(member.mode), group if 0 <= group < MAPPED_IDS else 0)


def beginning(chunks: Iterator[bytes], size: int) -> bytes:
    """Read no more than a beginning.

    Args:
        chunks: what is read.
        size: how many bytes suffice.

    Returns:
        At least that many, or all there are.
    """
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) >= size:
            break
    return bytes(read)
