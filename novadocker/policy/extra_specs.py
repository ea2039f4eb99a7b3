# SPDX-License-Identifier: Apache-2.0
"""Vocabulary of flavors and images: extra specs ``docker:*`` and properties ``docker_*``.

Nova's API knows the extra specs too (``novadocker.api.extra_specs``), so that a flavor with a wrong
one is refused when it is set.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from novadocker.errors import PolicyRefused
from novadocker.policy import capabilities, sysctls, ulimits

Value_co = TypeVar("Value_co", covariant=True)

PREFIX, IMAGE_PREFIX = "docker:", "docker_"
MOST_PIDS = 4_194_304  # PID_MAX_LIMIT of the kernel
SHOWN = 60
MOST_CHARACTERS = 255  # of an image property as Nova keeps it; a longer one is cut there
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SIZE = re.compile(r"([1-9][0-9]{0,8})([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class ExtraSpec(Generic[Value_co]):
    """Extra spec of flavors, with the image property of the same name.

    Attributes:
        name: name without the prefix.
        description: effect, for the operator.
        read: parser of the text; a ValueError of it names the accepted form.
        narrows: True for an extra spec with an image property, which reduces rights.
    """

    name: str
    description: str
    read: Callable[[str], Value_co]
    narrows: bool = False

    @property
    def extra_spec(self) -> str:
        """Full name in a flavor."""
        return f"{PREFIX}{self.name}"

    @property
    def image_property(self) -> str:
        """Full name in an image."""
        return f"{IMAGE_PREFIX}{self.name}"

    def of_flavor(self, extra_specs: Mapping[str, str]) -> Value_co | None:
        """Read the value of a flavor.

        Args:
            extra_specs: all extra specs of the flavor.

        Returns:
            The value, or None for a flavor without this extra spec.

        Raises:
            PolicyRefused: the text is no such value.
        """
        return self._value(f"flavor extra spec {self.extra_spec}", extra_specs, self.extra_spec)

    def of_image(self, properties: Mapping[str, str]) -> Value_co | None:
        """Read the value of an image.

        Args:
            properties: all properties of the image, as Nova keeps them.

        Returns:
            The value, or None for an image without this property.

        Raises:
            PolicyRefused: the text is no such value, or Nova may have cut it.
        """
        name = self.image_property
        setting = f"image property {name}"
        if len(value := properties.get(name, "")) >= MOST_CHARACTERS:
            accepted = f"at most {MOST_CHARACTERS - 1} characters, since Nova cuts off the rest"
            raise PolicyRefused(setting=setting, value=shown(value), accepted=accepted)
        return self._value(setting, properties, name)

    def _value(self, setting: str, said: Mapping[str, str], name: str) -> Value_co | None:
        if name not in said:
            return None
        try:
            return self.read(said[name])
        except ValueError as error:
            raise PolicyRefused(
                setting=setting, value=shown(said[name]), accepted=str(error)
            ) from error


def shown(value: str) -> str:
    """Shorten a stranger's text for a message.

    Args:
        value: any text.

    Returns:
        Printable characters only, cut after ``SHOWN`` of them.
    """
    line = "".join(each if each.isprintable() else "?" for each in value)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def _named(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name of letters, digits, '_', '.' and '-'")
    return text


def _apparmor(text: str) -> str:
    if text.lower() == "unconfined":
        raise ValueError("the name of a profile; no container is unconfined")
    return _named(text)


def _pids(text: str) -> int:
    # int() knows digits of other scripts, and is slow where there are many.
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:  # noqa: PLR2004
        raise ValueError(f"a number from 1 to {MOST_PIDS}")
    if not 0 < int(text) <= MOST_PIDS:
        raise ValueError(f"a number from 1 to {MOST_PIDS}")
    return int(text)


def _size(text: str) -> int:
    matched = _SIZE.fullmatch(text)
    if not matched or not text.isascii():
        raise ValueError("a size such as 64m or 1g")
    return int(matched[1]) * _UNITS[matched[2].lower()]


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("true or false")
    return _BOOLEANS[text.lower()]


PROFILE = ExtraSpec(
    "profile",
    "What its containers may do to begin with: restricted, baseline, system, or a profile of the "
    "operator's own ([docker] profiles_file).",
    _named,
    narrows=True,
)
CAP_ADD = ExtraSpec(
    "cap_add",
    "Capabilities beyond the profile's, with commas between; each must be among [docker] "
    "allowed_capabilities.",
    capabilities.read,
    narrows=True,
)
CAP_DROP = ExtraSpec(
    "cap_drop",
    "Capabilities of the profile that are taken away, with commas between, or ALL.",
    capabilities.read_drops,
    narrows=True,
)
SECCOMP = ExtraSpec(
    "seccomp",
    "A seccomp profile in the place of the engine's default: the name, without .json, of a file "
    "in [docker] seccomp_profiles.",
    _named,
    narrows=True,
)
APPARMOR = ExtraSpec(
    "apparmor",
    "An AppArmor profile in the place of the engine's default, among [docker] apparmor_profiles.",
    _apparmor,
)
RUNTIME = ExtraSpec(
    "runtime",
    "The engine's runtime that runs its containers, such as runsc; among [docker] runtimes. "
    "Steer by trait:CUSTOM_DOCKER_RUNTIME_<NAME>=required.",
    _named,
)
PIDS = ExtraSpec("pids_limit", "Processes and threads of one container.", _pids, narrows=True)
SHM = ExtraSpec("shm_size", "Size of /dev/shm, such as 64m; part of the memory.", _size)
ULIMITS = ExtraSpec(
    "ulimits",
    "Limits of setrlimit(2), NAME=SOFT[:HARD] with commas between, such as nofile=1024:65536.",
    ulimits.read,
)
READ_ONLY = ExtraSpec(
    "read_only",
    "Whether the root file system cannot be written; /run, /tmp and /var/tmp are memory then.",
    _boolean,
    narrows=True,
)
INIT = ExtraSpec(
    "init",
    "Whether an init stands before the image's command: process 1, which waits for orphans and "
    "hands signals on.",
    _boolean,
    narrows=True,
)
EXTRA_SPECS: tuple[ExtraSpec[object], ...] = (
    PROFILE,
    CAP_ADD,
    CAP_DROP,
    SECCOMP,
    APPARMOR,
    RUNTIME,
    PIDS,
    SHM,
    ULIMITS,
    READ_ONLY,
    INIT,
)
SYSCTL = "docker:sysctl."
SYSCTL_DESCRIPTION = (
    "A kernel parameter of the container's own network or IPC namespace; among [docker] "
    "allowed_sysctls."
)
ACCEPTED = (
    ", ".join((f"{PREFIX}{EXTRA_SPECS[0].name}", *(each.name for each in EXTRA_SPECS[1:])))
    + " or sysctl.NAME"
)


def sysctls_of(extra_specs: Mapping[str, str]) -> Mapping[str, str]:
    """Read the kernel parameters of a flavor.

    Args:
        extra_specs: all extra specs of the flavor.

    Returns:
        Values by the parameters' names.

    Raises:
        PolicyRefused: a parameter belongs to no namespace, or cannot have the value.
    """
    return {
        name.removeprefix(SYSCTL): sysctl(name, value)
        for name, value in extra_specs.items()
        if name.startswith(SYSCTL)
    }


def sysctl(extra_spec: str, value: str) -> str:
    """Read one kernel parameter of a flavor.

    Args:
        extra_spec: full name, ``docker:sysctl.NAME``.
        value: text of the parameter's value.

    Returns:
        The value with single spaces.

    Raises:
        PolicyRefused: the parameter belongs to no namespace, or cannot have the value.
    """
    setting = f"flavor extra spec {shown(extra_spec)}"
    if not sysctls.known(extra_spec.removeprefix(SYSCTL)):
        accepted = "a parameter of network or IPC namespaces, such as net.ipv4.ip_forward"
        raise PolicyRefused(setting=setting, value=shown(value), accepted=accepted)
    try:
        return sysctls.read(value)
    except ValueError as error:
        raise PolicyRefused(setting=setting, value=shown(value), accepted=str(error)) from error


def refuse_unknown(extra_specs: Mapping[str, str], properties: Mapping[str, str]) -> None:
    """Refuse unknown extra specs and properties, which would be ignored silently.

    Args:
        extra_specs: all extra specs of the flavor.
        properties: all properties of the image.

    Raises:
        PolicyRefused: an extra spec ``docker:*`` is unknown, or an image asks for a right that
            only a flavor grants.
    """
    known = {each.extra_spec for each in EXTRA_SPECS}
    for name, value in extra_specs.items():
        if name.startswith(PREFIX) and name not in known and not name.startswith(SYSCTL):
            raise PolicyRefused(
                setting=f"flavor extra spec {shown(name)}", value=shown(value), accepted=ACCEPTED
            )
    for name, value in properties.items():
        if name in _NOT_AN_IMAGES or name.startswith(f"{IMAGE_PREFIX}sysctl"):
            raise PolicyRefused(
                setting=f"image property {shown(name)}",
                value=shown(value),
                accepted="to leave it out: an image may have less than its flavor, never more",
            )


_NOT_AN_IMAGES = frozenset(
    {each.image_property for each in EXTRA_SPECS if not each.narrows}
    | {f"{IMAGE_PREFIX}privileged"}
)
