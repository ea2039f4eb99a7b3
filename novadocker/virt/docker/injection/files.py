# SPDX-License-Identifier: Apache-2.0
"""Files, directories and links to be put into a container, as a tar archive. Pure."""

import io
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.container.accounts import Home

SETTING = "personality file"
NAME_BYTES = 255  # of one name in a path, as file systems have it
# The second is where cloud-init's ConfigDrive source and its ds-identify look for a seed.
CONFIG_DRIVE = ("/config-drive", "/var/lib/cloud/seed/config_drive")
# What is mounted at these or linked from there hides what is below them.
HIDDEN = ("/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", *CONFIG_DRIVE)


@dataclass(frozen=True)
class Entry:
    """A file, a directory or a link.

    Attributes:
        path: below the container's root, without the leading slash.
        kind: type flag as ``tarfile`` has it.
        content: bytes, for a file.
        mode: permissions.
        uid: owner inside the container.
        gid: group inside the container.
        target: path behind a link.
    """

    path: str
    kind: bytes = tarfile.REGTYPE
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""

    def owned_by(self, home: Home) -> "Entry":
        """Give the entry to a user.

        Args:
            home: home of the user.

        Returns:
            The same entry with another owner.
        """
        return replace(self, uid=home.uid, gid=home.gid)


def directory(path: str, mode: int = 0o755) -> Entry:
    """Describe a directory; an existing directory gets the same mode and owner.

    Args:
        path: below the container's root.
        mode: permissions.

    Returns:
        The entry.
    """
    return Entry(path, tarfile.DIRTYPE, mode=mode)


def link(path: str, target: str) -> Entry:
    """Describe a symbolic link, in place of any file at the same path.

    Args:
        path: below the container's root.
        target: path behind the link.

    Returns:
        The entry.
    """
    return Entry(path, tarfile.SYMTYPE, mode=0o777, target=target)


def key_entries(home: Home, public_key: str) -> tuple[Entry, ...]:
    """Describe the files by which sshd lets the owner of a key in.

    Args:
        home: home of the user.
        public_key: key in OpenSSH's form.

    Returns:
        The directory and the file, with the modes demanded by sshd.
    """
    content = public_key.strip().encode() + b"\n"
    return (
        directory(f"{home.path}/.ssh", 0o700).owned_by(home),
        Entry(f"{home.path}/.ssh/authorized_keys", content=content, mode=0o600).owned_by(home),
    )


def personality(files: Iterable[tuple[str, bytes]]) -> tuple[Entry, ...]:
    """Describe a tenant's personality files.

    Args:
        files: pairs of path and content; relative paths begin at the root as well.

    Returns:
        The entries: root's, mode 0644, in the order of the files.

    Raises:
        PolicyRefused: no container can have such a path, or a mount hides the path.
    """
    return tuple(Entry(_path(path), content=content) for path, content in files)


def _path(asked: str) -> str:
    names = [name for name in asked.split("/") if name not in ("", ".")]
    if asked.endswith("/") or not names:
        raise _refused(asked, "the path of a file, not of a directory")
    if ".." in names or "\0" in asked:
        raise _refused(asked, "a path without '..' and NUL")
    if any(len(name.encode(errors="replace")) > NAME_BYTES for name in names) or not _sound(asked):
        raise _refused(asked, f"a path in UTF-8 of names of at most {NAME_BYTES} bytes")
    path = PurePosixPath("/", *names)
    for hidden in HIDDEN:
        if path.is_relative_to(hidden):
            raise _refused(asked, f"a path outside of {hidden}, which is not the container's own")
    return str(path).removeprefix("/")


def _sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(asked: str, accepted: str) -> PolicyRefused:
    return PolicyRefused(setting=SETTING, value=repr(asked), accepted=accepted)


def packed(entries: Iterable[Entry]) -> bytes:
    """Write entries as a tar archive.

    Args:
        entries: in order of extraction; the last of equal paths stays.

    Returns:
        The archive.
    """
    # Uncompressed: an engine unpacks what is compressed with the container's own programs
    # (CVE-2026-41567).
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as written_to:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.type, member.linkname = entry.kind, entry.target
            member.mode, member.uid, member.gid = entry.mode, entry.uid, entry.gid
            member.mtime = int(time.time())
            member.size = len(entry.content)
            written_to.addfile(member, io.BytesIO(entry.content))
    return written.getvalue()
