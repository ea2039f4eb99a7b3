# SPDX-License-Identifier: Apache-2.0
"""Users of an image, as its passwd(5) and shadow(5) have them. Pure.

Both files are written by nobody we trust: what is odd in them means a user that is not found.
"""

import re
import time
from dataclasses import dataclass
from typing import Self

from passlib.hash import sha512_crypt

from novadocker.errors import PolicyRefused

PASSWD = "/etc/passwd"  # noqa: S105 - the name of a file
SHADOW = "/etc/shadow"
PASSWD_FIELDS = 7
SHADOW_FIELDS = 9
MAPPED_IDS = 65536  # what --userns-remap gives a container
ROUNDS = 5000  # of crypt(5) where nothing else is said, as chpasswd(8) hashes
SECONDS_OF_A_DAY = 86400
USER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*[$]?")


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
ROOTS = ("", "0", "root")  # as images name it


def home_of(user: str, passwd: str) -> Home | None:
    """Find a user's home.

    Args:
        user: name or number; "" is root.
        passwd: text in the form of passwd(5).

    Returns:
        The home, or None where there is none or it belongs to an id that containers lack.
    """
    if user in ROOTS:
        return ROOT
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) == PASSWD_FIELDS and user in (fields[0], fields[2]):
            uid, gid, path = fields[2], fields[3], fields[5].strip("/")
            if ".." in path.split("/"):
                return None
            if path and all(each.isdecimal() and int(each) < MAPPED_IDS for each in (uid, gid)):
                return Home(path, int(uid), int(gid))
    return None


def owner_of(user: str, passwd: str) -> Home:
    """Say to whom belongs what a user is to write.

    Args:
        user: name or number; "" is root.
        passwd: text in the form of passwd(5).

    Returns:
        Its home; without one its number alone, or root where there is no such user.
    """
    if home := home_of(user, passwd):
        return home
    known = user.isdecimal() and int(user) < MAPPED_IDS
    return Home("", int(user) if known else 0, 0)


@dataclass(frozen=True)
class Login:
    """A user and its password, of which only the hash is kept.

    Attributes:
        user: name in the image.
        hashed: the password as shadow(5) has it.
    """

    user: str
    hashed: str

    @classmethod
    def of(cls, user: str, password: str) -> Self:
        """Hash a password with SHA-512, as crypt(5) does.

        Args:
            user: name in the image.
            password: in clear.

        Returns:
            The login.

        Raises:
            PolicyRefused: it is no name of a user, or a password cannot be like that.
        """
        if not USER_NAME.fullmatch(user):
            raise PolicyRefused(
                setting="image property os_admin_user",
                value=repr(user),
                accepted="the name of a user in the image",
            )
        try:
            return cls(user, sha512_crypt.using(rounds=ROUNDS).hash(password))
        except ValueError as error:
            raise PolicyRefused(
                setting="admin password", value="(hidden)", accepted=f"another one ({error})"
            ) from error

    def into(self, shadow: str) -> str | None:
        """Set the password.

        Args:
            shadow: text in the form of shadow(5).

        Returns:
            The text with the new hash and today as the day of the change; None where the
            user is not in it.
        """
        lines = shadow.split("\n")
        for number, line in enumerate(lines):
            name, *others = line.split(":")
            if name == self.user and len(others) == SHADOW_FIELDS - 1:
                today = str(int(time.time()) // SECONDS_OF_A_DAY)
                lines[number] = ":".join((name, self.hashed, today, *others[2:]))
                return "\n".join(lines)
        return None

    @property
    def line(self) -> str:
        """What chpasswd(8) reads."""
        return f"{self.user}:{self.hashed}\n"
