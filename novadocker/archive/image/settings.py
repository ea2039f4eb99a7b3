# SPDX-License-Identifier: Apache-2.0
"""Settings of an image for containers, checked for values beyond an engine's use.

Only what no honest image has is refused here. Limits and rights are not the image's to choose
in any case: those are ``policy``.
"""

import posixpath
from typing import Any

from novadocker.archive.bounds import KiB, MiB
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.documents import Document

# The kernel's own places in a container. A working directory in them has been a way out of it
# (CVE-2024-21626), and a volume over them hides what the engine, or our gate, has put there.
_KERNELS = ("/proc", "/sys", "/dev")
# By its labels a container is known to the driver, and an image's labels become its container's.
_OUR_LABELS = "novadocker."
_VOLUMES = 64
_LONGEST_PATH = 4096
# The kernel's limit on one string, and less than its limit on all (execve(2)).
_LONGEST_STRING = 128 * KiB
_STRINGS = MiB
# Probes are started by the engine, outside of what the server may use of the processor.
_SHORTEST_INTERVAL = 1_000_000_000


def check_settings(config: Document) -> None:
    """Raise if an image's settings cannot be had.

    Args:
        config: the image's.
    """
    if not config.has("config"):
        return
    settings = config.object("config")
    _check_strings(settings)
    _check_working_directory(settings)
    _check_volumes(settings)
    _check_labels(settings)
    _check_health(settings)


def _check_strings(settings: Document) -> None:
    strings = [text for name in ("Entrypoint", "Cmd", "Env") for text in _texts(settings, name)]
    strings += [settings.text(name) for name in ("User", "StopSignal") if settings.has(name)]
    for text in strings:
        if "\x00" in text or len(text.encode()) >= _LONGEST_STRING:
            raise Fault(f"{settings.where} has {quoted(text)}, which no process can be given")
    if sum(len(text.encode()) for text in strings) > _STRINGS:
        raise Fault(f"{settings.where} has commands and Env of more than {_STRINGS} bytes")


def _texts(settings: Document, name: str) -> list[str]:
    # Engines of old wrote a command of one word without a list around it.
    if settings.has(name) and settings.is_text(name):
        return [settings.text(name)]
    return settings.texts(name)


def _check_working_directory(settings: Document) -> None:
    if not settings.has("WorkingDir"):
        return
    directory = settings.text("WorkingDir")
    if directory and not directory.startswith("/"):
        raise Fault(
            f"{settings.where} has the relative WorkingDir {quoted(directory)}; a path from the "
            f"root is accepted, such as {quoted('/' + directory)}"
        )
    if _is_kernels(directory) or "\x00" in directory or len(directory) > _LONGEST_PATH:
        raise Fault(
            f"{settings.where} has the WorkingDir {quoted(directory)}; a directory of the image's "
            "own is accepted"
        )


def _check_volumes(settings: Document) -> None:
    volumes = _mapping(settings, "Volumes")
    if len(volumes) > _VOLUMES:
        raise Fault(f"{settings.where} has {len(volumes)} Volumes; {_VOLUMES} are accepted")
    for place in volumes:
        if _is_kernels(place):
            raise Fault(
                f"{settings.where} has the Volume {quoted(place)}, where the kernel's own files "
                "are: a container has its own cgroups and devices there without it; build the "
                "image without that VOLUME"
            )
        if _normal(place) == "/" or "\x00" in place or len(place) > _LONGEST_PATH:
            raise Fault(
                f"{settings.where} has the Volume {quoted(place)}; a directory of the image's own "
                "is accepted"
            )


def _check_labels(settings: Document) -> None:
    for name, value in _mapping(settings, "Labels").items():
        if name.startswith(_OUR_LABELS):
            raise Fault(f"{settings.where} has the label {quoted(name)}, which is for hosts to set")
        if not isinstance(value, str):
            raise Fault(f"{settings.where} has a label {quoted(name)} that is no string")


def _check_health(settings: Document) -> None:
    if not settings.has("Healthcheck"):
        return
    probe = settings.object("Healthcheck")
    probe.texts("Test")
    for name in ("Interval", "StartInterval"):
        interval = probe.number(name) if probe.has(name) else 0
        if 0 < interval < _SHORTEST_INTERVAL:
            raise Fault(f"{probe.where} has an {name} of {interval} ns; at least 1 s is accepted")


def _mapping(settings: Document, name: str) -> dict[str, Any]:
    return settings.mapping(name) if settings.has(name) else {}


def _normal(place: str) -> str:
    # Two slashes at the start mean something to POSIX, and nothing to Linux.
    return posixpath.normpath("/" + place.lstrip("/"))


def _is_kernels(place: str) -> bool:
    return any(_normal(place) == own or _normal(place).startswith(f"{own}/") for own in _KERNELS)
