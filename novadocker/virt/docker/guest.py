# SPDX-License-Identifier: Apache-2.0
"""One instance's container: create, start, stop, state, console log."""

import io
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from novadocker.virt.docker.engine import Container, ContainerSpec, Engine, State
from novadocker.virt.docker.errors import ContainerConflict, ContainerNotFound
from novadocker.virt.docker.server import LABEL_INSTANCE

CONSOLE_BYTES = 100 * 1024
CONSOLE_LINES = 10_000
PASSWD_BYTES = 256 * 1024
PASSWD_FIELDS = 7
MAPPED_IDS = 65536  # what --userns-remap gives a container


class Guest:
    """The container of one instance, which may not exist yet or any more.

    Args:
        engine: where it is.
        name: its name.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = name

    def find(self) -> Container | None:
        """Look for it.

        Returns:
            The container as it is now, or None.

        Raises:
            ContainerConflict: a container that is not ours has its name.
        """
        container = self._engine.find(self.name)
        if container and LABEL_INSTANCE not in container.labels:
            raise ContainerConflict(name=self.name, label=LABEL_INSTANCE)
        return container

    def get(self) -> Container:
        """Return it as it is now.

        Returns:
            The container.

        Raises:
            ContainerNotFound: it does not exist.
            ContainerConflict: a container that is not ours has its name.
        """
        container = self.find()
        if container is None:
            raise ContainerNotFound(name=self.name)
        return container

    def create(self, spec: ContainerSpec) -> None:
        """Make it.

        Args:
            spec: what it is.
        """
        self._engine.create(spec)

    def start(self) -> Container:
        """Start it up to its gate; one that runs is left alone.

        Returns:
            The container, running.

        Raises:
            ContainerNotFound: it does not exist.
        """
        container = self.get()
        if container.alive:
            return container
        self._engine.start(self.name)
        return self._engine.inspect(self.name)

    def stop(self, timeout: int) -> None:
        """End its process by the image's stop signal, by force after a time; safe to repeat.

        Args:
            timeout: seconds that it has; 0 ends it at once.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is State.PAUSED:
            self._engine.unpause(self.name)  # what is frozen cannot be signalled
        self._engine.stop(self.name, timeout)

    def pause(self) -> None:
        """Freeze it; safe to repeat.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is not State.PAUSED:
            self._engine.pause(self.name)

    def unpause(self) -> None:
        """Thaw it; safe to repeat.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is State.PAUSED:
            self._engine.unpause(self.name)

    def remove(self) -> None:
        """End and remove it; absence is no error.

        Raises:
            ContainerConflict: a container that is not ours has its name; it is left alone.
        """
        if self.find():
            self._engine.remove(self.name)

    def authorize(self, public_key: str) -> bool:
        """Let the key's owner in: puts it into ``authorized_keys`` of the image's user.

        Args:
            public_key: in OpenSSH's form.

        Returns:
            Whether that user has a home that a key can be put into.

        Raises:
            ContainerNotFound: the container does not exist.
        """
        user = self.get().user.partition(":")[0]
        home = ROOT if user in ("", "0", "root") else home_of(user, self._passwd())
        if home is None:
            return False
        self._engine.put_files(self.name, _key_archive(home, public_key))
        return True

    def console(self) -> bytes:
        """Return the end of what its process wrote, and how it ended.

        Returns:
            At most 100 KiB, the newest last.

        Raises:
            ContainerNotFound: the container does not exist.
        """
        container = self.get()
        output = self._engine.tail(self.name, CONSOLE_LINES, CONSOLE_BYTES)
        return output + _epitaph(container).encode()

    def _passwd(self) -> str:
        try:
            read = beginning(self._engine.get_file(self.name, "/etc/passwd"), PASSWD_BYTES)
            with tarfile.open(fileobj=io.BytesIO(read)) as archive:
                member = archive.next()
                content = archive.extractfile(member) if member and member.isreg() else None
                return content.read().decode(errors="replace") if content else ""
        except (ContainerNotFound, tarfile.TarError):
            return ""  # an image without users, or with too many, has no homes


@dataclass(frozen=True)
class Home:
    """A user's home in an image.

    Attributes:
        path: without the leading slash.
        uid: the user, inside the container.
        gid: its group.
    """

    path: str
    uid: int
    gid: int


ROOT = Home("root", 0, 0)


def home_of(user: str, passwd: str) -> Home | None:
    """Find a user's home.

    Args:
        user: name or number.
        passwd: text in the form of passwd(5), written by nobody we trust.

    Returns:
        The home, or None where there is none or it belongs to an id that containers lack.
    """
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) == PASSWD_FIELDS and user in (fields[0], fields[2]):
            uid, gid, path = fields[2], fields[3], fields[5].strip("/")
            if ".." in path.split("/"):
                return None
            if path and all(each.isdecimal() and int(each) < MAPPED_IDS for each in (uid, gid)):
                return Home(path, int(uid), int(gid))
    return None


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


def _key_archive(home: Home, public_key: str) -> bytes:
    # Uncompressed, into a container that never ran: an engine unpacks what is compressed
    # with the container's own programs (CVE-2026-41567).
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, mode, content in (
            (f"{home.path}/.ssh", 0o700, None),
            (f"{home.path}/.ssh/authorized_keys", 0o600, public_key.strip().encode() + b"\n"),
        ):
            member = tarfile.TarInfo(name)
            member.uid, member.gid, member.mode = home.uid, home.gid, mode
            member.mtime = int(time.time())
            if content is None:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def _epitaph(container: Container) -> str:
    if container.alive or container.state is State.CREATED:
        return ""
    why = ", out of memory" if container.out_of_memory else ""
    return (
        f"\r\n[nova-docker] the server's process ended with exit code "
        f"{container.exit_code}{why} at {container.finished_at}\r\n"
    )
