# SPDX-License-Identifier: Apache-2.0
"""Origins of archives, by the word on the command line."""

import re
from dataclasses import dataclass
from pathlib import PurePath

SCHEME = "docker://"
STDIN = "-"

_ENDINGS = re.compile(r"\.(?:(?:docker|oci))?\.?(?:tar(?:\.gz|\.zst)?|tgz)$", re.IGNORECASE)


@dataclass(frozen=True)
class StandardInput:
    """The command's own input."""

    def __str__(self) -> str:
        return "standard input"

    @property
    def name(self) -> str:
        """Name for the image: none, for nothing tells."""
        return ""


@dataclass(frozen=True)
class SavedFile:
    """A file.

    Attributes:
        path: path as the user wrote it.
    """

    path: str

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """Name for the image: the file's, without endings of archives."""
        name = PurePath(self.path).name
        return _ENDINGS.sub("", name) or name


@dataclass(frozen=True)
class Reference:
    """An image in a Docker Engine, or in a registry.

    Attributes:
        text: name of the image as Docker writes it.
    """

    text: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.text}"

    @property
    def names_registry(self) -> bool:
        """True where the name begins with a registry's host, by Docker's own rule."""
        # Any other first part is a namespace, not a host.
        host, slash, _ = self.text.partition("/")
        return bool(slash) and ("." in host or ":" in host or host == "localhost")

    @property
    def is_on_loopback(self) -> bool:
        """True for a registry on the local machine, asked by Docker without TLS."""
        host = self.text.partition("/")[0].rsplit(":", 1)[0]
        return host in {"localhost", "[::1]"} or host.startswith("127.")

    @property
    def name(self) -> str:
        """Name for the image: the reference's last part, without digest and ``latest``."""
        name = self.text.rpartition("/")[2].partition("@")[0]
        return name.removesuffix(":latest")


Origin = StandardInput | SavedFile | Reference


def parse(word: str) -> Origin:
    """Read an argument.

    Args:
        word: a file's path, ``-``, or ``docker://`` and an image's name.
    """
    if word == STDIN:
        return StandardInput()
    if word.startswith(SCHEME):
        return Reference(word.removeprefix(SCHEME))
    return SavedFile(word)
