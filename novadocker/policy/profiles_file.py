# SPDX-License-Identifier: Apache-2.0
"""Reader of an operator's own profiles: one TOML table a profile.

::

    [router]
    why = "routes between the project's networks"
    based_on = "baseline"               # what is not said is as there; else as in restricted
    add_capabilities = ["NET_ADMIN"]    # or capabilities = [...], all of them
    sysctls = { "net.ipv4.ip_forward" = "1" }

There are no other fields than those of ``Profile``, so there is none for what nobody gets.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from novadocker.policy import capabilities, sysctls
from novadocker.policy.extra_specs import PROFILE
from novadocker.policy.profiles import BUILT_IN, RESTRICTED, Profile

WHY = "as the operator has it"
# Below these are files of the engine's or the driver's.
TAKEN = ("/dev", "/proc", "/sys", "/rescue", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


def read(text: str, seccomp: Iterable[str]) -> Mapping[str, Profile]:
    """Read all profiles of a file.

    Args:
        text: TOML.
        seccomp: names of the operator's seccomp profiles.

    Returns:
        Built-in profiles and the file's, by their names.

    Raises:
        ValueError: a table is unsound; the message names table, field and accepted values.
    """
    profiles = dict(BUILT_IN)
    for name, table in tomllib.loads(text).items():
        if name in profiles:
            raise ValueError(f"[{name}] is built in; give yours another name")
        try:
            profiles[PROFILE.read(name)] = _profile(name, table, profiles)
        except ValueError as error:
            raise ValueError(f"[{name}]: {error}") from error
        if (wanted := profiles[name].seccomp) and wanted not in seccomp:
            raise ValueError(f"[{name}]: seccomp = {wanted} is no file of seccomp_profiles")
    return profiles


def _profile(name: str, table: Any, profiles: Mapping[str, Profile]) -> Profile:
    if not isinstance(table, dict):
        raise ValueError("a profile is a table")  # noqa: TRY004 - of the file, not of the program
    fields = {**_FIELDS, "based_on": _text, "add_capabilities": _capabilities}
    if unknown := sorted(table.keys() - fields.keys()):
        raise ValueError(f"{unknown[0]} is none of {', '.join(fields)}")
    said = {
        field: _said(field, read, table[field]) for field, read in fields.items() if field in table
    }
    base = said.pop("based_on", RESTRICTED.name)
    if base not in profiles:
        raise ValueError(f"based_on = {base} is none of {', '.join(profiles)}")
    added = said.pop("add_capabilities", frozenset())
    profile = replace(profiles[base], **{"why": WHY, **said, "name": name})
    if profile.init and profile.reaper:
        raise ValueError("init and reaper are both true, and an init system is process 1 itself")
    return replace(profile, capabilities=profile.capabilities | added)


def _said(field: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"{field} = {value!r}: {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("one line of text is wanted")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted")  # noqa: TRY004 - as above
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("a list is wanted")  # noqa: TRY004 - as above
    return [_text(each) for each in value]


def _capabilities(value: Any) -> frozenset[str]:
    return frozenset(name for each in _texts(value) for name in capabilities.read(each))


def _tmpfs(value: Any) -> tuple[str, ...]:
    paths = _texts(value)
    for path in paths:
        pure = PurePosixPath(path)
        sound = path.startswith("/") and str(pure) == path and ".." not in pure.parts
        if not sound or path == "/" or any(pure.is_relative_to(each) for each in TAKEN):
            raise ValueError(f"an absolute path outside of {', '.join(TAKEN)} is wanted")
    return tuple(sorted(paths))


def _sysctls(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError("a table is wanted")  # noqa: TRY004 - as above
    for name in value:
        if not sysctls.known(name):
            raise ValueError(f"{name} is no parameter of network or IPC namespaces")
    return {name: sysctls.read(str(each)) for name, each in value.items()}


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "why": _text,
    "capabilities": _capabilities,
    "no_new_privileges": _flag,
    "read_only": _flag,
    "root": _flag,
    "init": _flag,
    "reaper": _flag,
    "tmpfs": _tmpfs,
    "seccomp": _text,
    "sysctls": _sysctls,
}
