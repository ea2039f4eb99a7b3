# SPDX-License-Identifier: Apache-2.0
"""Findings without Nova's code, and their verdicts."""

import enum
import os
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TESTED_NOVA = (34,)
PRIVSEP = "[novadocker_privileged] helper_command"
_PT_INTERP = 3


class Verdict(enum.StrEnum):
    """How an item stands."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One item.

    Attributes:
        item: name of the finding.
        verdict: how it stands.
        words: observation.
        fix: remedy; "" if all is well or the words say enough.
    """

    item: str
    verdict: Verdict
    words: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.verdict:<7}  {self.item}: {self.words}{fix}"


def nova_version(version: str | None) -> Finding:
    """Judge the version of Nova; None is no Nova."""
    if version is None:
        words = f"{sys.executable} cannot import it"
        fix = "install us where nova-compute's Python looks"
        return Finding("Nova", Verdict.MISSING, words, fix)
    if int(version.partition(".")[0]) in TESTED_NOVA:
        return Finding("Nova", Verdict.OK, version)
    tested = ", ".join(map(str, TESTED_NOVA))
    words = f"{version} was never tested with this driver; {tested} was"
    return Finding("Nova", Verdict.WARNING, words, "use one that was")


def unseen(names: Sequence[str]) -> Finding:
    """Judge containers whose processes live on although the engine calls the containers ended."""
    item = "ended servers"
    if not names:
        return Finding(item, Verdict.OK, "none has a living process")
    words = f"{', '.join(sorted(names))}: the engine calls it exited, its processes are alive"
    fix = "end these processes, then start the servers; see docs/compatibility.md, upgrading"
    return Finding(item, Verdict.MISSING, words, fix)


def configuration(path: Path) -> Finding:
    """Judge whether nova.conf is there to be read."""
    if os.access(path, os.R_OK):
        return Finding("nova.conf", Verdict.OK, str(path))
    words = f"{user()} cannot read {path}"
    return Finding("nova.conf", Verdict.MISSING, words, "name nova-compute's by --config-file")


def way_in(shim: str | None, plugins: Iterable[str]) -> Finding:
    """Judge how Nova finds the driver.

    Args:
        shim: where ``nova.virt.novadocker`` is imported from; None where it is not.
        plugins: names of the os_vif entry points.
    """
    if shim:
        return Finding("driver", Verdict.OK, f"in Nova's own site-packages, at {shim}")
    if "novadocker" in plugins:
        return Finding("driver", Verdict.OK, "shown to Nova by os_vif's entry point")
    fix = "install the wheel of nova-docker with pip, not its files"
    return Finding("driver", Verdict.MISSING, "Nova finds it nowhere", fix)


def ovs_plugin(plugins: Iterable[str]) -> Finding:
    """Judge the installed os-vif plugins by name."""
    if "ovs" in plugins:
        return Finding("os-vif", Verdict.OK, "its ovs plugin is installed")
    words = "its ovs plugin is not installed"
    return Finding("os-vif", Verdict.MISSING, words, "reinstall os-vif")


def is_static(program: Path) -> bool:
    """Tell whether a 64-bit ELF program needs no interpreter, hence nothing of an image."""
    content = program.read_bytes()
    # Offsets of the program headers in an ELF header of 64 bits, see elf(5).
    (offset,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    starts = range(offset, offset + size * count, size)
    return all(struct.unpack_from("<I", content, start)[0] != _PT_INTERP for start in starts)


def start_gate(program: Path) -> Finding:
    """Judge the start gate that is installed."""
    if not program.is_file():
        fix = "install a wheel, or a C compiler before the source"
        return Finding("start gate", Verdict.MISSING, f"{program} is not there", fix)
    if not is_static(program):
        words = f"{program} is not static and runs in no foreign image"
        return Finding("start gate", Verdict.MISSING, words, "install the wheel again")
    return Finding("start gate", Verdict.OK, str(program))


def instances_path(path: Path) -> Finding:
    """Judge whether the containers' users, strangers to the host, get to their files."""
    # The directory itself may come with the first server.
    there = next(each for each in (path, *path.parents) if each.exists())
    closed = [str(each) for each in (there, *there.parents) if not _open_to_others(each)]
    if closed:
        words = f"containers cannot get to {path}"
        return Finding("instances_path", Verdict.MISSING, words, f"chmod o+x {' '.join(closed)}")
    if not os.access(there, os.W_OK):
        return Finding("instances_path", Verdict.MISSING, f"{user()} cannot write to {there}")
    return Finding("instances_path", Verdict.OK, str(path))


def socket(url: str) -> Finding:
    """Judge whether this user may speak to the engine's socket; TCP is judged by calling."""
    path = Path(url.removeprefix("unix://"))
    if not url.startswith("unix:"):
        return Finding("socket", Verdict.OK, f"{url} is reached by TCP")
    if not path.exists():
        return Finding("socket", Verdict.MISSING, f"{path} is not there", "start Docker")
    if not os.access(path, os.R_OK | os.W_OK):
        fix = "put that user into the group that owns it"
        return Finding("socket", Verdict.MISSING, f"{user()} may not use {path}", fix)
    return Finding("socket", Verdict.OK, str(path))


def attempt(item: str, call: Callable[[], str], remedy: str = "") -> Finding:
    """Make an attempt, and judge by its outcome.

    Args:
        item: name of the finding.
        call: does it and returns what was seen.
        remedy: advice beside the error's own words.
    """
    try:
        return Finding(item, Verdict.OK, call())
    except Exception as error:  # noqa: BLE001 - whatever it is, the operator has to read it
        return Finding(item, Verdict.MISSING, str(error), remedy)


def _open_to_others(directory: Path) -> bool:
    return bool(directory.stat().st_mode & stat.S_IXOTH)


def user() -> str:
    """Name who looks."""
    return f"user {os.geteuid()}"
