# SPDX-License-Identifier: Apache-2.0
"""Archives that are not sound, and members that do not belong."""

import gzip
import lzma
import random
import tarfile
from typing import Any

import pytest
import zstandard

from novadocker.errors import ImageInvalid
from tests.unit.archive.hostile_layers import HOSTILE
from tests.unit.archive.reading import checked, reason

# ---- unsound containers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"x", "cut off in its first header"),
        (b"<html>" * 200, "not a tar archive"),
        (bytes(10240), "it has no manifest.json"),
        (b"QFI\xfb" + bytes(1020), "not a tar archive"),
        (lzma.compress(b"anything"), "compressed with xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(600), "in the middle of its zstd stream"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 600, "not sound zstd"),
        (b"\x51\x2a\x4d\x18" + bytes(600), "not sound zstd"),
        (zstandard.compress(b""), "it is empty"),
        (zstandard.compress(bytes(4096))[:-1], "in the middle of its zstd stream"),
        (zstandard.compress(bytes(4096)) + b"junk!", "not sound zstd"),
        (b"BZh9" + bytes(600), "compressed with bzip2"),
        (gzip.compress(b""), "it is empty"),
        (b"\x1f\x8b" + bytes(600), "not sound gzip"),
        (gzip.compress(bytes(4096))[:-5], "in the middle of its gzip stream"),
        (gzip.compress(bytes(4096)) + b"junk", "not sound gzip"),
    ],
)
def test_what_is_no_archive_is_called_so(data: bytes, why: str) -> None:
    """Whatever was uploaded by mistake, the message says what it looks like."""
    assert why in reason(data)


def test_every_truncation_is_noticed(form: Any, layers: tuple[bytes, bytes]) -> None:
    """Cut off anywhere, at a block's border too, the archive is refused."""
    data = form(layers[0]).tar()
    for length in range(len(data)):
        with pytest.raises(ImageInvalid):
            list(checked(data[:length]))


def test_every_truncation_of_a_gzip_is_noticed(saved_images: Any) -> None:
    """The same holds where the cut hits the compressed stream."""
    data = gzip.compress(saved_images.old_style(saved_images.layer()).tar())
    for length in range(len(data)):
        with pytest.raises(ImageInvalid):
            list(checked(data[:length]))


def test_a_changed_layer_or_config_is_always_noticed(form: Any, saved_images: Any) -> None:
    """One flipped bit in content that counts never passes."""
    layer = saved_images.layer(b"precious" * 64)
    data = form(layer).tar()
    start = data.index(layer)
    for at in range(start, start + len(layer), 37):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        with pytest.raises(ImageInvalid):
            list(checked(bytes(damaged)))


@pytest.mark.parametrize("seed", range(300))
def test_a_mutation_is_refused_or_harmless(saved_images: Any, seed: int) -> None:
    """Bytes changed, cut out or put in at random: the same image comes out, or a refusal."""
    chance = random.Random(seed)  # noqa: S311 - chooses damage, not keys
    forms = [saved_images.old_style, saved_images.new_style, saved_images.oci]
    layers = [saved_images.layer(b"one"), saved_images.layer(b"two")]
    original = forms[seed % 3](*layers).tar()
    sound = checked(original)
    list(sound)
    mutant = bytearray(original)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(mutant)), chance.choice([1, 1, 8, 512])
        mutant[at : at + length] = chance.choice(
            [b"", chance.randbytes(length), bytes(length), bytes(mutant[:length])]
        )
    archive = checked(bytes(mutant))
    try:
        list(archive)
    except ImageInvalid:
        return
    assert archive.saved_image.layers == sound.saved_image.layers


def test_bytes_after_the_end_are_refused(form: Any, layers: tuple[bytes, bytes]) -> None:
    """A second archive behind the first would be read by some tools and not by others."""
    assert "after the end" in reason(form(*layers).tar() + bytes(512) + b"more")


def test_one_zero_block_is_no_end(form: Any, layers: tuple[bytes, bytes]) -> None:
    """The end of a tar archive has two."""
    assert "cut off, or damaged" in reason(form(*layers).tar()[:-512])


# ---- members that do not belong ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "absolute name"),
        ("../../etc/passwd", "'..' in its name"),
        ("a/../b", "'..' in its name"),
        ("", "empty name"),
        ("./", "name of a directory"),
        ("a" * 600, "longer than 512 bytes"),
        ("manifest.json", "comes twice"),
        ("./manifest.json", "comes twice"),
    ],
)
def test_a_bad_name_is_refused(saved_images: Any, layers: Any, name: str, why: str) -> None:
    """No name may point out of the archive or be open to two readings."""
    archive = saved_images.old_style(*layers)
    info = tarfile.TarInfo(name)
    archive.members[f"extra {name}"] = info
    assert why in reason(archive.tar())


def test_a_name_that_is_not_utf_8_is_refused(saved_images: Any, layers: Any) -> None:
    """Readers differ in what they make of it."""
    archive = saved_images.old_style(*layers)
    archive.format = tarfile.GNU_FORMAT
    archive.members["bad"] = tarfile.TarInfo("bad\udcff\udcfe")
    assert "not UTF-8" in reason(archive.tar())


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.LNKTYPE, "is a hard link"),
        (tarfile.CHRTYPE, "is a character device"),
        (tarfile.BLKTYPE, "is a block device"),
        (tarfile.FIFOTYPE, "is a FIFO"),
        (tarfile.GNUTYPE_SPARSE, "is a sparse file"),
        (tarfile.CONTTYPE, "of the unknown type"),
        (b"Z", "of the unknown type"),
    ],
)
def test_other_kinds_of_members_are_refused(
    saved_images: Any, layers: Any, kind: bytes, why: str
) -> None:
    """A saved image has files, directories and the links of old saves, nothing else."""
    archive = saved_images.old_style(*layers)
    archive.members["odd"] = saved_images.link("odd", "manifest.json", kind)
    archive.format = tarfile.USTAR_FORMAT
    assert why in reason(archive.tar())


@pytest.mark.parametrize("target", ["/etc/shadow", "../../../etc/shadow", "nowhere", "odd"])
def test_a_link_to_anything_but_a_layer_is_refused(
    saved_images: Any, layers: Any, target: str
) -> None:
    """Links could otherwise lead the engine out of its directory."""
    archive = saved_images.old_style(*layers)
    archive.members["odd"] = saved_images.link("odd", target)
    assert "which is no layer" in reason(archive.tar())


def test_a_large_file_that_no_image_uses_is_refused(saved_images: Any, layers: Any) -> None:
    """It would only cost the host time and room."""
    archive = saved_images.old_style(*layers)
    archive.members = {"ballast.tar": saved_images.layer(bytes(100_000))} | archive.members
    assert "'ballast.tar' (101888 bytes) belongs to no image" in reason(archive.tar())


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"GNU.sparse.major": "1"}, "sparse file"),
        ({"size": "-1"}, "impossible size"),
        ({"size": "9" * 30}, "impossible size"),
        ({"path": "/etc/passwd"}, "absolute name"),
        ({"path": "a\0b"}, "zero byte"),
        ({"comment": "x" * 100_000}, "an extended header has"),
    ],
)
def test_an_extended_header_is_not_trusted(
    saved_images: Any, layers: Any, headers: dict[str, str], why: str
) -> None:
    """What it says is checked as if the header said it, and its size is bounded."""
    archive = saved_images.old_style(*layers)
    info = tarfile.TarInfo("odd")
    info.pax_headers = headers
    archive.members["odd"] = info
    assert why in reason(archive.tar())


@pytest.mark.parametrize(
    "record", [b"nonsense", b"5 a=b\n", b"99 a=b\n", b"0 a=b\n", b"6 a=b_", b"6 aaaa\n"]
)
def test_a_damaged_extended_header_is_refused(saved_images: Any, record: bytes) -> None:
    """Its records have exact lengths."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    data = saved_images.old_style(saved_images.layer()).tar()
    odd = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0")
    assert "extended header is damaged" in reason(odd + data)


def test_a_global_header_may_not_rename_members(saved_images: Any) -> None:
    """``git archive`` writes a harmless comment there; a path is no such thing."""
    data = saved_images.old_style(saved_images.layer()).tar()
    harmless = tarfile.TarInfo.create_pax_global_header({"comment": "0123"})
    assert b"".join(checked(harmless + data))
    hostile = tarfile.TarInfo.create_pax_global_header({"path": "manifest.json"})
    assert "global extended header" in reason(hostile + data)


def test_a_directory_with_content_is_refused(saved_images: Any) -> None:
    """Readers disagree on whether content follows."""
    info = tarfile.TarInfo("odd")
    info.type, info.size = tarfile.DIRTYPE, 512
    data = saved_images.old_style(saved_images.layer()).tar()
    assert "is not a file and yet" in reason(info.tobuf() + bytes(512) + data)


@pytest.mark.parametrize("size", [b"\x80" + b"\xff" * 11, b"\xff" * 12, b"notoctal\0\0\0\0"])
def test_an_absurd_size_is_refused(saved_images: Any, size: bytes) -> None:
    """Neither huge nor negative sizes make the reader wait or loop."""
    data = bytearray(saved_images.old_style(saved_images.layer()).tar())
    member = data.index(b"/VERSION") - 64
    data[member + 124 : member + 136] = size
    data[member + 148 : member + 156] = b" " * 8
    data[member + 148 : member + 156] = b"%06o\0 " % sum(data[member : member + 512])
    assert "is not a sound" in reason(bytes(data))


# In an archive a directory may come twice, and a header finds a member after all. Nothing of it
# is laid out, and it is not Go that reads it.
ONLY_IN_LAYERS = {
    "a size in letters, and a mode",
    "a time in letters",
    "a global header's name above the root",
    *(name for name, (_, why) in HOSTILE.items() if "user or group" in why or "below" in why),
    "a directory that comes twice",
    "a root that comes twice",
    "an extended header without a member",
    *(name for name, (_, why) in HOSTILE.items() if "whiteout" in name + why),
}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in ONLY_IN_LAYERS])
def test_what_is_hostile_in_a_layer_is_so_in_an_archive(saved_images: Any, name: str) -> None:
    """The same names, links, kinds and doubtful headers, one level further out."""
    assert reason(HOSTILE[name][0] + saved_images.old_style(saved_images.layer()).tar())
