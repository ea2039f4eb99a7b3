# SPDX-License-Identifier: Apache-2.0
"""Users of the host as good as root, or as good as a server's root."""

import grp
import itertools
import pwd
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from novadocker.virt.docker.check.findings import Finding, Verdict

SUBUID, SUBGID = Path("/etc/subuid"), Path("/etc/subgid")
ENOUGH_IDS = 65536
_MAPPED = re.compile(r"/(\d+)\.(\d+)$")  # how an engine that maps users ends its root directory
_SUBORDINATE = "subordinate ids"


@dataclass(frozen=True)
class Range:
    """Ids that a user may map; see subuid(5).

    Attributes:
        owner: name of the user or group.
        first: lowest id.
        count: number of ids.
    """

    owner: str
    first: int
    count: int

    def meets(self, other: "Range") -> bool:
        """Tell whether an id is in both."""
        return self.first < other.first + other.count and other.first < self.first + self.count

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + self.count


def socket(path: Path, user: str) -> Iterator[Finding]:
    """Judge the users of the engine's socket, each of whom is root.

    Args:
        path: the socket; one that is not there is not judged.
        user: the one that looks, who must.
    """
    try:
        found = path.stat()
    except OSError:
        return
    item = "root by the socket"
    if found.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        words = f"every user of this host may use {path}, and be root by it"
        yield Finding(item, Verdict.WARNING, words, f"chmod o-rwx {path}")
        return
    others = sorted({*_members(found.st_gid)} - {user, "root"})
    if found.st_mode & stat.S_IWGRP and others:
        words = f"{', '.join(others)} may use {path}, and be root by it"
        fix = "take out of its group who need not be: gpasswd --delete USER GROUP"
        yield Finding(item, Verdict.WARNING, words, fix)
    else:
        yield Finding(item, Verdict.OK, f"nobody else may use {path}")


def subordinates(
    root_directory: str, ranges: Mapping[str, str], accounts: Mapping[str, int]
) -> Finding:
    """Judge the ids that root and users of containers are mapped to.

    Args:
        root_directory: the engine's, which ends with the first of them.
        ranges: texts of ``/etc/subuid`` and ``/etc/subgid`` by path.
        accounts: ids of the host's own users and groups, by their names.
    """
    mapped = _MAPPED.search(root_directory)
    if not mapped:
        return Finding(_SUBORDINATE, Verdict.OK, "the engine maps no users")
    for (name, text), first in zip(ranges.items(), map(int, mapped.groups()), strict=True):
        if trouble := _trouble(first, list(_read(text)), accounts):
            fix = f"give the engine's user {ENOUGH_IDS} ids of its own in {name}"
            return Finding(_SUBORDINATE, Verdict.WARNING, f"{name}: {trouble}", fix)
    words = f"containers' users are ids from {mapped[1]} on, and nobody else's"
    return Finding(_SUBORDINATE, Verdict.OK, words)


def of_this_host(root_directory: str) -> Finding:
    """Judge the ids of this host, as ``subordinates`` does."""
    accounts = {each.pw_name: each.pw_uid for each in pwd.getpwall()}
    accounts |= {each.gr_name: each.gr_gid for each in grp.getgrall()}
    ranges = {str(file): file.read_text() if file.exists() else "" for file in (SUBUID, SUBGID)}
    return subordinates(root_directory, ranges, accounts)


def _trouble(first: int, ranges: list[Range], accounts: Mapping[str, int]) -> str:
    own = next((each for each in ranges if each.first == first), None)
    if own is None or not first:
        return f"no range begins at {first}, where the engine maps root to"
    if own.count < ENOUGH_IDS:
        return f"{own.owner} has {own.count} ids, and images use up to {ENOUGH_IDS}"
    twice = [each.owner for each in ranges if each is not own and each.meets(own)]
    if twice:
        return f"ids of containers are {twice[0]}'s too, who can be their root"
    hosts = [name for name, number in accounts.items() if number in own]
    return f"{hosts[0]} of this host has an id of containers" if hosts else ""


def _read(text: str) -> Iterator[Range]:
    for line in text.splitlines():
        fields = line.split("#")[0].strip().split(":")
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal():  # noqa: PLR2004
            yield Range(fields[0], int(fields[1]), int(fields[2]))


def _members(gid: int) -> Iterable[str]:
    # A user's first group does not name its members.
    try:
        named = grp.getgrgid(gid).gr_mem
    except KeyError:
        named = []
    first = (each.pw_name for each in pwd.getpwall() if each.pw_gid == gid)
    return itertools.chain(named, first)
