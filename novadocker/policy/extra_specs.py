# SPDX-License-Identifier: Apache-2.0
"""The words in which flavors and images ask: extra specs ``docker:*`` and properties ``docker_*``.

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
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SIZE = re.compile(r"([1-9][0-9]{0,8})([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Word(Generic[Value_co]):
    """One thing that can be asked.

    Attributes:
        name: behind the prefix.
        words: what it does, for the operator.
        read: makes a value of text, and raises ValueError with what would be accepted.
        narrows: whether an image may say it too, to have less.
    """

    name: str
    words: str
    read: Callable[[str], Value_co]
    narrows: bool = False

    @property
    def extra_spec(self) -> str:
        """Its name in a flavor."""
        return f"{PREFIX}{self.name}"

    @property
    def image_property(self) -> str:
        """Its name in an image."""
        return f"{IMAGE_PREFIX}{self.name}"

    def of_flavor(self, extra_specs: Mapping[str, str]) -> Value_co | None:
        """Read what a flavor says.

        Args:
            extra_specs: the flavor's.

        Returns:
            The value, or None where it says nothing.

        Raises:
            PolicyRefused: it is none.
        """
        return self._value(f"flavor extra spec {self.extra_spec}", extra_specs, self.extra_spec)

    def of_image(self, properties: Mapping[str, str]) -> Value_co | None:
        """Read what an image says.

        Args:
            properties: the image's.

        Returns:
            The value, or None where it says nothing.

        Raises:
            PolicyRefused: it is none.
        """
        name = self.image_property
        return self._value(f"image property {name}", properties, name)

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
    """Write a value into a message.

    Args:
        value: whatever somebody wrote.

    Returns:
        It, without what would spoil a line, and not longer than that.
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


PROFILE = Word(
    "profile",
    "What its containers may do to begin with: restricted, baseline, system, or a profile of the "
    "operator's own ([docker] profiles_file).",
    _named,
    narrows=True,
)
CAP_ADD = Word(
    "cap_add",
    "Capabilities beyond the profile's, with commas between; each must be among [docker] "
    "allowed_capabilities.",
    capabilities.read,
    narrows=True,
)
CAP_DROP = Word(
    "cap_drop",
    "Capabilities of the profile that are taken away, with commas between, or ALL.",
    capabilities.read_drops,
    narrows=True,
)
SECCOMP = Word(
    "seccomp",
    "A seccomp profile in the place of the engine's default: the name, without .json, of a file "
    "in [docker] seccomp_profiles.",
    _named,
    narrows=True,
)
APPARMOR = Word(
    "apparmor",
    "An AppArmor profile in the place of the engine's default, among [docker] apparmor_profiles.",
    _apparmor,
)
RUNTIME = Word(
    "runtime",
    "The engine's runtime that runs its containers, such as runsc; among [docker] runtimes. "
    "Steer by trait:CUSTOM_DOCKER_RUNTIME_<NAME>=required.",
    _named,
)
PIDS = Word("pids_limit", "Processes and threads of one container.", _pids, narrows=True)
SHM = Word("shm_size", "Size of /dev/shm, such as 64m; part of the memory.", _size)
ULIMITS = Word(
    "ulimits",
    "Limits of setrlimit(2), NAME=SOFT[:HARD] with commas between, such as nofile=1024:65536.",
    ulimits.read,
)
READ_ONLY = Word(
    "read_only",
    "Whether the root file system cannot be written; /run, /tmp and /var/tmp are memory then.",
    _boolean,
    narrows=True,
)
WORDS: tuple[Word[object], ...] = (
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
)
SYSCTL = "docker:sysctl."
SYSCTL_WORDS = (
    "A kernel parameter of the container's own network or IPC namespace; among [docker] "
    "allowed_sysctls."
)
ACCEPTED = (
    ", ".join((f"{PREFIX}{WORDS[0].name}", *(word.name for word in WORDS[1:]))) + " or sysctl.NAME"
)


def sysctls_of(extra_specs: Mapping[str, str]) -> Mapping[str, str]:
    """Read the kernel parameters that a flavor sets.

    Args:
        extra_specs: the flavor's.

    Returns:
        Values by names.

    Raises:
        PolicyRefused: one is not of a namespace, or has no such value.
    """
    return {
        name.removeprefix(SYSCTL): sysctl(name, value)
        for name, value in extra_specs.items()
        if name.startswith(SYSCTL)
    }


def sysctl(extra_spec: str, value: str) -> str:
    """Read one kernel parameter that a flavor sets.

    Args:
        extra_spec: its whole name.
        value: what it says.

    Returns:
        The value.

    Raises:
        PolicyRefused: it is not of a namespace, or has no such value.
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
    """Refuse what would else be passed over: a right, or a limit, that nobody keeps.

    Args:
        extra_specs: the flavor's.
        properties: the image's.

    Raises:
        PolicyRefused: a flavor asks in our namespace for what there is not, or an image for
            what is a flavor's to give.
    """
    known = {word.extra_spec for word in WORDS}
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
    {word.image_property for word in WORDS if not word.narrows} | {f"{IMAGE_PREFIX}privileged"}
)
