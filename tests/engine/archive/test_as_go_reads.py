# SPDX-License-Identifier: Apache-2.0
"""The checker and Go's own ``archive/tar``, which engines use, read one layer as the same members.

NOVADOCKER_GO_SEED repeats a run; NOVADOCKER_GO_LAYERS makes it longer.
"""

import base64
import json
import os
import random
import struct
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from novadocker.archive import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.fault import Fault
from novadocker.archive.layers.entries import Entries
from novadocker.archive.tarball.header import device_of
from novadocker.cloud.machine import packages
from tests.unit.archive import hostile_layers as layers
from tests.unit.archive.members import END
from tests.unit.archive.mutants import mutants

SOURCE = Path(__file__).with_name("members.go")
SHOWN = 40
LAYERS = int(os.environ.get("NOVADOCKER_GO_LAYERS", "20000"))
OLD_FILE, HARD_LINK, SYMLINK, DEVICE, GLOBAL = b"\0", b"1", b"2", b"3", b"g"
# Refusals of ours of what Go takes: by rules of images, not for another reading of the bytes.
STRICTER = (
    "'..' in its name",
    "comes twice",
    "no file before it",
    "the name of the root",
    "a whiteout",
    "is hidden by",
    "lies below",
    "lies behind",
    "is the device",
    "is a block device",
    "is a contiguous file",
    "is a sparse file",
    "of the unknown type",
    "is not a file and yet has",
    "belongs to the user or group",
    "is a link to",
    "bytes after the end",
    "for overlayfs alone",
    "a global extended header sets",
    "several extended headers of which only one can count",
    "two names",
    "two targets",
    "compressed",
    "is longer than",
    "deep",
    "extended header has",  # too much, or a size with a sign
    "the impossible size -",  # of what has no content: Go does not look at it
    "the impossible name",
    "is no directory",
    "an extended header of no member",
    # In a record that no member follows, or that Go lets another one replace.
    *(f"the impossible {key} " for key in ("uid", "gid", "mtime", "atime", "ctime")),
)


@dataclass(frozen=True)
class Seen:
    """A member, as a reader understands it.

    Attributes:
        name: path from the image's root.
        kind: flag of its type.
        size: bytes of content.
        link: where it points.
        owners: numbers of user and group.
        device: major and minor number.
    """

    name: bytes
    kind: bytes
    size: int
    link: bytes
    owners: tuple[int, int]
    device: tuple[int, int]


@dataclass(frozen=True)
class Reading:
    """Members of a layer up to its end, or to the fault that ended the reading."""

    members: tuple[Seen, ...]
    fault: str


class Noted(Entries):
    """The checker's reader, which notes the members that it looks at."""

    def __init__(self) -> None:
        super().__init__("it", Budget.of(Bounds()), Bounds())
        self.seen: list[Seen] = []

    def _entry(self, block: bytes, path: bytes, flag: bytes, link: bytes, size: int) -> None:
        super()._entry(block, path, flag, link, size)
        device = device_of(block) if flag == DEVICE else (0, 0)
        kind = b"0" if flag == OLD_FILE else flag
        target = link if flag in {HARD_LINK, SYMLINK} else b""
        self.seen.append(Seen(path, kind, size, target, self._owners, device))


def ours(layer: bytes) -> Reading:
    """Read a layer as the checker does."""
    entries, fault = Noted(), ""
    try:
        entries.feed(layer)
        entries.finish()
    except Fault as found:
        fault = str(found)
    return Reading(tuple(entries.seen), fault)


def seen_by_go(found: dict[str, object]) -> Seen:
    """Return a member of Go's, its name from the image's root, its device where it is one."""
    numbers = {key: value for key, value in found.items() if isinstance(value, int)}
    texts = {key: base64.b64decode(str(found[key] or "")) for key in ("Name", "Link")}
    kind = bytes((numbers["Type"],))
    parts = [part for part in texts["Name"].split(b"/") if part not in {b"", b"."}]
    return Seen(
        b"/".join(parts),
        kind,
        numbers["Size"],
        texts["Link"] if kind in {HARD_LINK, SYMLINK} else b"",
        (numbers["Uid"], numbers["Gid"]),
        (numbers["Major"], numbers["Minor"]) if kind == DEVICE else (0, 0),
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built once; its compiler is installed where it is missing."""
    packages.ensure({"go": "golang-go"})
    folder = tmp_path_factory.mktemp("go")
    built = folder / "members"
    environment = {**os.environ, "GO111MODULE": "off", "GOCACHE": str(folder / "cache")}
    subprocess.run(("go", "build", "-o", built, SOURCE), check=True, env=environment)
    return built


@pytest.fixture(scope="module")
def gos(program: Path) -> Callable[[Iterable[bytes]], list[Reading]]:
    """Reader of layers by Go."""

    def read(many: Iterable[bytes]) -> list[Reading]:
        framed = b"".join(struct.pack(">I", len(layer)) + layer for layer in many)
        done = subprocess.run((program,), input=framed, check=True, capture_output=True)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        seen = [[seen_by_go(each) for each in found["Members"] or ()] for found in told]
        # Go gives global headers as well, of which engines make nothing.
        return [
            Reading(tuple(each for each in members if each.kind != GLOBAL), found["Fault"])
            for members, found in zip(seen, told, strict=True)
        ]

    return read


def difference(mine: Reading, gos: Reading) -> str:
    """Return in what two readings differ beyond the rules of images; nothing where they agree."""
    if mine.fault:
        known = any(rule in mine.fault for rule in STRICTER)
        return "" if gos.fault or known else f"refused here alone: {mine.fault}"
    if gos.fault:
        return f"refused by Go alone: {gos.fault}"
    if mine.members != gos.members:
        return f"read as {mine.members}, by Go as {gos.members}"
    return ""


def test_mutants_are_read_as_go_reads_them(
    gos: Callable[[Iterable[bytes]], list[Reading]],
) -> None:
    """A layer is the same members to both, or refused by both, or refused here by a named rule."""
    seed = int(os.environ.get("NOVADOCKER_GO_SEED", random.SystemRandom().randrange(2**32)))
    made = list(mutants(random.Random(seed), LAYERS))  # noqa: S311 - to be repeated
    readings = [ours(layer) for layer in made]
    found = [
        f"{differs}: {layer.hex()}"
        for layer, mine, theirs in zip(made, readings, gos(made), strict=True)
        if (differs := difference(mine, theirs))
    ]
    assert not found, "\n".join((f"NOVADOCKER_GO_SEED={seed}", str(len(found)), *found[:SHOWN]))
    # Neither reader may have refused nearly everything: then nothing would have been compared.
    assert sum(not mine.fault and len(mine.members) > 0 for mine in readings) > LAYERS // 20


@pytest.mark.parametrize("name", layers.SOUND)
def test_sound_layers_are_read_as_go_reads_them(
    gos: Callable[[Iterable[bytes]], list[Reading]], name: str
) -> None:
    """A sound sample has the same members for both."""
    layer = layers.SOUND[name] + END
    (theirs,) = gos([layer])
    assert ours(layer) == theirs
