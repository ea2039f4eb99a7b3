# SPDX-License-Identifier: Apache-2.0
"""Bounds of the operator on flavors, from nova.conf and the files named there."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from novadocker.errors import ConfigurationError
from novadocker.policy import (
    Bounds,
    Profile,
    capabilities,
    profiles_file,
    seccomp,
)
from novadocker.policy.extra_specs import APPARMOR, RUNTIME, SECCOMP
from novadocker.policy.profiles import BUILT_IN
from novadocker.policy.sysctls import NAMESPACED, known

Value = TypeVar("Value")
SUFFIX = ".json"


def bounds_of(section: Any) -> Bounds:
    """Read the bounds, and the files.

    Args:
        section: ``CONF.docker``.

    Returns:
        The bounds.

    Raises:
        ConfigurationError: an option, or a file that it names, cannot be used.
    """
    # Before the profiles, which name filters.
    filters = _sound(section, "seccomp_profiles", _seccomp)
    profiles = _sound(section, "profiles_file", lambda path: _profiles(path, filters))
    default = section.default_profile
    if default not in profiles:
        reason = f"it is none of {', '.join(sorted(profiles))}"
        raise ConfigurationError(option="default_profile", value=default, reason=reason)
    return Bounds(
        capabilities=_sound(section, "allowed_capabilities", _capabilities),
        sysctls=_sound(section, "allowed_sysctls", _sysctls),
        profiles=profiles,
        default_profile=default,
        seccomp=filters,
        apparmor=_sound(section, "apparmor_profiles", lambda names: _names(APPARMOR.read, names)),
        runtimes=_sound(section, "runtimes", lambda names: _names(RUNTIME.read, names)),
    )


def _sound(section: Any, option: str, read: Callable[[Any], Value]) -> Value:
    value = getattr(section, option)
    try:
        return read(value)
    except (ValueError, OSError) as error:
        shown = ",".join(value) if isinstance(value, list) else value
        raise ConfigurationError(option=option, value=shown, reason=error) from error


def _capabilities(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for each in names for name in capabilities.read(each))


def _sysctls(names: Iterable[str]) -> tuple[str, ...]:
    for name in names:
        # A pattern must be one that we have; a name may be what one of ours matches.
        if name not in NAMESPACED and not known(name):
            raise ValueError(f"{name} is no parameter of network or IPC namespaces")
    return tuple(names)


def _names(read: Callable[[str], str], names: Iterable[str]) -> frozenset[str]:
    return frozenset(read(name) for name in names)


def _seccomp(directory: str | None) -> Mapping[str, str]:
    if not directory:
        return {}
    found = {}
    for path in sorted(Path(directory).iterdir()):
        if path.suffix == SUFFIX:
            try:
                found[SECCOMP.read(path.stem)] = seccomp.checked(path.read_text())
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from error
    return found


def _profiles(path: str | None, filters: Mapping[str, str]) -> Mapping[str, Profile]:
    return profiles_file.read(Path(path).read_text(), filters) if path else BUILT_IN
