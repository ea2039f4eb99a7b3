# SPDX-License-Identifier: Apache-2.0
"""Users of an image, read from passwd(5) and shadow(5). Pure.

Both files come from strangers: an odd line means a user not found, never an error.
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
class TextFile:
    """A text file of an image; an absent file is empty.

    Attributes:
        path: absolute, at the end of all links.
        text: readable beginning; bytes outside UTF-8 survive as surrogates.
        mode: permissions.
        gid: group inside the container, for a file owned by root.
    """

    path: str
    text: str = ""
    mode: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Home:
    """A user's home in an image.

    Attributes:
        path: without the leading slash.
        uid: user's id inside the container.
        gid: group's id inside the container.
    """

    path: str
    uid: int
    gid: int


ROOT = Home("root", 0, 0)
ROOTS = ("", "0", "root")  # as images name it


def user_name(user: str) -> str:
    """Take the user from an image's USER.

    Args:
        user: "USER" or "USER:GROUP", by name or number.

    Returns:
        Name or number without the group; "" is root.
    """
    return user.partition(":")[0]


def home_of(user: str, passwd: str) -> Home | None:
    """Find a user's home.

    Args:
        user: name or number; "" is root.
        passwd: text in the form of passwd(5).

    Returns:
        The home; /root for a root without a usable line; None for any other user without a
        home, or with an id beyond those of a container.
    """
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) == PASSWD_FIELDS and (user or "0") in (fields[0], fields[2]):
            if home := _home(fields[2], fields[3], fields[5].strip("/")):
                return home
            break  # the engine, too, takes the first line of a user
    return ROOT if user in ROOTS else None


def _home(uid: str, gid: str, path: str) -> Home | None:
    if not path or ".." in path.split("/"):
        return None
    if all(each.isdecimal() and int(each) < MAPPED_IDS for each in (uid, gid)):
        return Home(path, int(uid), int(gid))
    return None


def owner_of(user: str, passwd: str) -> Home:
    """Choose the owner of files for a user to write.

    Args:
        user: name or number; "" is root.
        passwd: text in the form of passwd(5).

    Returns:
        The user's home; a number alone without a home, and root for an unknown name.
    """
    if home := home_of(user, passwd):
        return home
    known = user.isdecimal() and int(user) < MAPPED_IDS
    return Home("", int(user) if known else 0, 0)


@dataclass(frozen=True)
class Login:
    """A user and the hash of a password.

    Attributes:
        user: name in the image.
        hashed: hash in the form of shadow(5); the password itself is kept nowhere.
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
            PolicyRefused: no user can have such a name, or no password such characters.
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

    def write_to_shadow(self, shadow: str) -> str | None:
        """Set the password in a list of passwords.

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
        """Line for the standard input of chpasswd(8)."""
        return f"{self.user}:{self.hashed}\n"
