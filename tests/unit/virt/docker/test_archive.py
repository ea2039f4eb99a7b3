# SPDX-License-Identifier: Apache-2.0
"""Saved images of every kind, sound and not."""

import gzip
import hashlib
import io
import json
import lzma
import random
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from novadocker.virt.docker.archive import Bounds, CheckedArchive, Platform
from novadocker.virt.docker.errors import ImageInvalid

HOST = Platform("amd64")
TAG = "nova/0f5c:1a2b"


def checked(data: bytes, *, chunk: int = 65536, bounds: Bounds | None = None) -> CheckedArchive:
    """Return the archive under test, fed in chunks."""
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return CheckedArchive(chunks, image="0f5c", tag=TAG, platform=HOST, bounds=bounds)


def members_of(data: bytes) -> dict[str, bytes]:
    """Return names and contents, in order."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}


def reason(data: bytes, bounds: Bounds | None = None) -> str:
    """Return why an archive is refused; nothing the engine would act upon may come out."""
    given: list[bytes] = []
    with pytest.raises(ImageInvalid) as refused:
        given.extend(checked(data, bounds=bounds))
    assert b"manifest.json" not in b"".join(given)
    return str(refused.value)


@pytest.fixture
def layers(saved_images: Any) -> tuple[bytes, bytes]:
    """Return two layers."""
    return saved_images.layer(b"lower\n"), saved_images.layer(b"upper\n" * 200)


@pytest.fixture(params=["old_style", "new_style", "oci"])
def form(request: pytest.FixtureRequest, saved_images: Any) -> Callable[..., Any]:
    """Return a builder of each form in turn."""
    return getattr(saved_images, request.param)


@pytest.mark.parametrize("chunk", [1, 7, 512, 1000, 65536])
def test_every_form_comes_out_as_one_clean_archive(
    form: Any, layers: tuple[bytes, bytes], chunk: int
) -> None:
    """Whatever the form and however the bytes are cut, layers, config and our tag come out."""
    archive = checked(form(*layers).tar(), chunk=chunk)
    members = members_of(b"".join(archive))
    (manifest,) = json.loads(members["manifest.json"])
    assert manifest["RepoTags"] == [TAG]
    assert tuple(members[path] for path in manifest["Layers"]) == layers
    assert f"sha256:{hashlib.sha256(members[manifest['Config']]).hexdigest()}" == (
        archive.saved_image.id
    )
    assert [layer.unpacked for layer in archive.saved_image.layers] == [len(x) for x in layers]
    assert archive.saved_image.size == sum(map(len, layers))
    assert len(members) == 4
    assert list(members)[-1] == "manifest.json"


def test_no_piece_is_empty(form: Any, layers: tuple[bytes, bytes]) -> None:
    """An empty piece would end a chunked HTTP request before its time."""
    assert all(checked(form(*layers).tar(), chunk=100))


def test_a_layer_that_comes_twice_is_sent_once(saved_images: Any) -> None:
    """Docker up to 24 saves a repeated layer as a symbolic link; its target is loaded."""
    layer = saved_images.layer()
    archive = checked(saved_images.old_style(layer, layer).tar())
    (manifest,) = json.loads(members_of(b"".join(archive))["manifest.json"])
    assert manifest["Layers"] == ["0.tar", "0.tar"]


def test_an_archive_in_gzip_is_read(form: Any, layers: tuple[bytes, bytes]) -> None:
    """``docker save | gzip`` makes an archive that ``docker load`` takes, and so do we."""
    plain = checked(form(*layers).tar())
    packed = checked(gzip.compress(form(*layers).tar()), chunk=50)
    assert b"".join(packed) == b"".join(plain)
    assert packed.saved_image == plain.saved_image


def test_a_layer_in_gzip_is_checked_by_its_content(saved_images: Any) -> None:
    """The config names the digest of the uncompressed layer, the blob's name the other one."""
    layer = saved_images.layer()
    config = saved_images.config([saved_images.sha256(layer)])
    archive = checked(saved_images.new_style(gzip.compress(layer), config=config).tar())
    assert b"".join(archive)
    (found,) = archive.saved_image.layers
    assert found.diff_id == f"sha256:{saved_images.sha256(layer)}"
    assert found.unpacked == len(layer) > found.size


def test_a_layer_of_several_gzip_members_is_read_whole(saved_images: Any) -> None:
    """Parallel compressors write one member after the other, and the engine reads them all."""
    layer = saved_images.layer()
    packed = gzip.compress(layer[:700]) + gzip.compress(layer[700:])
    config = saved_images.config([saved_images.sha256(layer)])
    assert b"".join(checked(saved_images.old_style(packed, config=config).tar(), chunk=11))


def test_names_may_start_with_a_dot(saved_images: Any, layers: tuple[bytes, bytes]) -> None:
    """``tar -c .`` writes ``./manifest.json`` after an entry for the directory itself."""
    archive = saved_images.old_style(*layers)
    root = tarfile.TarInfo("./")
    root.type = tarfile.DIRTYPE
    dotted = {f"./{name}": content for name, content in archive.members.items()}
    for member in dotted.values():
        if isinstance(member, tarfile.TarInfo):
            member.name = f"./{member.name}"
    archive.members = {"./": root} | dotted
    assert b"".join(checked(archive.tar()))


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read_in_both_dialects(
    saved_images: Any, layers: tuple[bytes, bytes], tar_format: int
) -> None:
    """Names beyond a header's hundred bytes come in an extra record."""
    archive = saved_images.old_style(*layers)
    deep = "d" * 80 + "/" + "e" * 80
    entry = json.loads(archive.members["manifest.json"])[0]
    archive.members = {f"{deep}/{n}": c for n, c in archive.members.items() if n in entry["Layers"]}
    config = saved_images.config([saved_images.sha256(layer) for layer in layers])
    archive.members |= {f"{deep}/config": config}
    manifest = {"Config": f"{deep}/config", "Layers": [f"{deep}/{n}" for n in entry["Layers"]]}
    archive.members["manifest.json"] = json.dumps([manifest]).encode()
    archive.format = tar_format
    assert b"".join(checked(archive.tar()))


def test_zeros_after_the_end_are_harmless(form: Any, layers: tuple[bytes, bytes]) -> None:
    """``tar`` fills an archive up to a full record."""
    assert b"".join(checked(form(*layers).tar() + bytes(10240)))


def test_the_host_s_variant_is_chosen_from_an_oci_index(
    saved_images: Any, layers: tuple[bytes, bytes]
) -> None:
    """Variants for other processors, and attestations, may come along."""
    ours = saved_images.oci(layers[0])
    theirs = saved_images.oci(
        layers[1],
        config=saved_images.config([saved_images.sha256(layers[1])], architecture="s390x"),
        platform={"os": "linux", "architecture": "s390x"},
    )
    manifests = [json.loads(x.members["index.json"])["manifests"][0] for x in (ours, theirs)]
    members = theirs.members | ours.members
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    archive = checked(saved_images.Archive(members).tar())
    assert b"".join(archive)
    (layer,) = archive.saved_image.layers
    assert layer.digest == f"sha256:{saved_images.sha256(layers[0])}"


def test_what_breaks_the_source_passes_through(form: Any, layers: tuple[bytes, bytes]) -> None:
    """Glance breaking off is not the image's fault, and is not called so."""
    data = form(*layers).tar()

    def breaking() -> Iterator[bytes]:
        yield data[:2000]
        raise OSError("connection reset")

    archive = CheckedArchive(breaking(), image="0f5c", tag=TAG, platform=HOST)
    with pytest.raises(OSError, match="connection reset"):
        list(archive)
    with pytest.raises(RuntimeError):
        _ = archive.saved_image


def test_the_source_is_heard_out_before_the_manifest(form: Any, layers: Any) -> None:
    """Glance's client finds a wrong checksum only after the last byte; that must count."""
    data = form(*layers).tar()

    def corrupt() -> Iterator[bytes]:
        yield data
        raise OSError("wrong checksum")

    given: list[bytes] = []
    with pytest.raises(OSError, match="wrong checksum"):
        given.extend(CheckedArchive(corrupt(), image="0f5c", tag=TAG, platform=HOST))
    assert b"manifest.json" not in b"".join(given)


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
        (b"\x28\xb5\x2f\xfd" + bytes(600), "compressed with zstd"),
        (b"\x51\x2a\x4d\x18" + bytes(600), "compressed with zstd"),
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


# ---- what the image says of itself ------------------------------------------------------


def with_manifest(archive: Any, manifest: Any) -> bytes:
    """Return an archive with another manifest.json."""
    archive.members["manifest.json"] = (
        manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    )
    return archive.tar()


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (b"[", "not sound JSON"),
        (b"\xff\xfe[]", "should be JSON"),
        (b'[{"Config": "\xff"}]', "not sound JSON"),
        (b'["\\ud800"]', "not sound JSON"),
        (b"[NaN]", "not sound JSON"),
        (b"[" * 100_000, "nested more than 32 deep"),
        (b"[" * 40 + b"]" * 40, "nested more than 32 deep"),
        (b'[{"Config": "a", "Config": "b"}]', "one key comes twice"),
        (b'[{"Config": "a", "config": "b"}]', "has both"),
        (b'[{"Config": "a", "LAYERS": [], "Layer\xc5\xbf": []}]', "has both"),
        (b"1" * 5000, "should be JSON"),
        ({}, "is not a list"),
        ([], "names no image"),
        ([1], "not an object"),
        ([{}], "nothing as 'Config'"),
        ([{"Config": 1}], "as 'Config', not a string"),
        ([{"Config": "x", "Layers": "y"}], "as 'Layers', not a list"),
        ([{"Config": "x", "Layers": [1]}], "something else than strings"),
        ([{"Config": "x.json", "Layers": []}], "member 'x.json' is missing"),
        ([{"Config": "x.json", "Layers": ["y"]}], "layer 'y' is missing"),
        ([{"Config": "x.json", "Layers": ["../y"]}], "'..' in its name"),
        ([{"Config": "/etc/passwd", "Layers": []}], "absolute name"),
        ([{"Config": "x", "Layers": ["repositories"]}], "neither a tar archive nor a gzip"),
        ([{"RepoTags": ["a:1"]}, {"RepoTags": ["b:2"]}], "2 images ('a:1', 'b:2'); save one"),
    ],
)
def test_a_bad_manifest_is_refused(saved_images: Any, layers: Any, manifest: Any, why: str) -> None:
    """Syntax, types and references, each with its own word."""
    assert why in reason(with_manifest(saved_images.old_style(*layers), manifest))


def test_an_archive_without_manifest_is_refused(saved_images: Any, layers: Any) -> None:
    """Such as ``docker export`` or a plain backup."""
    archive = saved_images.old_style(*layers)
    del archive.members["manifest.json"]
    assert "it has no manifest.json" in reason(archive.tar())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "s390x"}, "made for 'linux/s390x'; this host runs linux/amd64"),
        ({"os": "windows"}, "made for 'windows/amd64'"),
        ({"os": None}, "nothing as 'os'"),
        ({"rootfs": None}, "not an object"),
        ({"rootfs": {"type": "other", "diff_ids": []}}, "rootfs of type 'other'"),
        ({"rootfs": {"type": "layers", "diff_ids": []}}, "0 layers"),
        ({"rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}}, "promises 1 layers"),
        ({"rootfs": {"type": "layers", "diff_ids": ["x", "y"]}}, "impossible digest 'x'"),
        ({"RootFS": {"type": "layers", "diff_ids": []}}, "has both 'rootfs' and 'RootFS'"),
    ],
)
def test_a_bad_config_is_refused(
    saved_images: Any, layers: Any, changes: dict[str, Any], why: str
) -> None:
    """Platform, layers and their count must be what the host and the archive have."""
    config = saved_images.config([saved_images.sha256(layer) for layer in layers], **changes)
    assert why in reason(saved_images.old_style(*layers, config=config).tar())


def test_a_layer_with_another_digest_is_refused(saved_images: Any, layers: Any) -> None:
    """The message says which layer, what it has and what was promised."""
    promised = [saved_images.sha256(layers[0]), saved_images.sha256(b"other")]
    why = reason(saved_images.old_style(*layers, config=saved_images.config(promised)).tar())
    assert f"has the digest sha256:{saved_images.sha256(layers[1])}, not sha256:" in why


def test_layers_in_another_order_are_refused(saved_images: Any, layers: Any) -> None:
    """What is below and what above makes a difference."""
    config = saved_images.config([saved_images.sha256(layer) for layer in reversed(layers)])
    assert "has the digest" in reason(saved_images.old_style(*layers, config=config).tar())


def test_a_config_under_a_wrong_digest_is_refused(saved_images: Any, layers: Any) -> None:
    """Its name is the image's id; another content is another image."""
    archive = saved_images.old_style(*layers)
    name = json.loads(archive.members["manifest.json"])[0]["Config"]
    archive.members[name] += b" "
    assert "has the digest sha256:" in reason(archive.tar())


@pytest.mark.parametrize("number", range(4))
def test_a_blob_under_a_wrong_name_is_refused(saved_images: Any, layers: Any, number: int) -> None:
    """Layers, config and manifests of the new form are named by their digest."""
    archive = saved_images.new_style(*layers)
    name = [name for name in archive.members if name.startswith("blobs/")][number]
    content = bytearray(archive.members[name])
    content[-1 if content[-1] else 600] ^= 1
    archive.members[name] = bytes(content)
    assert f"blob '{name}' has the digest" in reason(archive.tar())


def test_a_layer_in_another_compression_is_refused(saved_images: Any, layers: Any) -> None:
    """The engine would start a decompressor that the image has chosen."""
    config = saved_images.config([saved_images.sha256(layers[0])])
    archive = saved_images.old_style(lzma.compress(layers[0]), config=config)
    assert "is compressed with xz" in reason(archive.tar())


@pytest.mark.parametrize(
    ("descriptor", "why"),
    [
        ({"mediaType": "text/html"}, "media type 'text/html'"),
        ({"mediaType": 1}, "as 'mediaType', not a string"),
        ({"digest": "md5:0"}, "sha256 is accepted"),
        ({"digest": f"sha256:{'0' * 64}"}, "is missing"),
        ({"platform": {"os": "linux", "architecture": "s390x"}}, "0 images for linux/amd64"),
    ],
)
def test_a_bad_oci_index_is_refused(
    saved_images: Any, layers: Any, descriptor: dict[str, Any], why: str
) -> None:
    """Without manifest.json the index must lead to one image that runs here."""
    assert why in reason(saved_images.oci(*layers, **descriptor).tar())


# ---- bounds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(size=4096), "larger than 4096 bytes"),
        (Bounds(unpacked=3000), "over the size that it may unpack to"),
        (Bounds(members=5), "more than 5 members"),
        (Bounds(layers=1), "2 layers; 1 to 1 are accepted"),
        (Bounds(json=100), "should be JSON, and is something else or too large"),
        (Bounds(json_kept=300), "should be JSON, and is something else or too large"),
        (Bounds(json_depth=2), "nested more than 2 deep"),
        (Bounds(name=20), "longer than 20 bytes"),
    ],
)
def test_bounds_hold(saved_images: Any, layers: Any, bounds: Bounds, why: str) -> None:
    """Each bound stops what passes it."""
    assert why in reason(saved_images.old_style(*layers).tar(), bounds)


@pytest.mark.parametrize("outer", [True, False])
def test_a_gzip_bomb_is_refused(saved_images: Any, outer: bool) -> None:
    """Whether it is a layer or all of the archive, growth beyond reason stops the reading."""
    layer = saved_images.layer(bytes(4 << 20))
    config = saved_images.config([saved_images.sha256(layer)])
    packed = gzip.compress(saved_images.old_style(layer).tar())
    inner = saved_images.old_style(gzip.compress(layer), config=config).tar()
    bounds = Bounds(ratio=50, ratio_from=1 << 20)
    assert "more than 50 times its compressed size" in reason(packed if outer else inner, bounds)


def test_memory_stays_flat(saved_images: Any) -> None:
    """200 MB pass through and less than 8 MB are held at any time."""
    megabyte = random.Random(1).randbytes(1 << 20)  # noqa: S311 - filling
    count, digest = 200, hashlib.sha256()
    head = tarfile.TarInfo("big")
    head.size = count << 20
    end = bytes(1024)
    layer_head = head.tobuf()
    for piece in [layer_head, *[megabyte] * count, end]:
        digest.update(piece)
    layer = tarfile.TarInfo("layer.tar")
    layer.size = len(layer_head) + head.size + len(end)
    config = saved_images.config([digest.hexdigest()])
    manifest = json.dumps([{"Config": "config", "Layers": ["layer.tar"]}]).encode()
    rest = saved_images.Archive({"config": config, "manifest.json": manifest}).tar()

    def stream() -> Iterator[bytes]:
        yield layer.tobuf() + layer_head
        for _ in range(count):
            yield megabyte
        yield end + bytes(-layer.size % 512) + rest

    tracemalloc.start()
    try:
        passed = sum(map(len, CheckedArchive(stream(), image="0f5c", tag=TAG, platform=HOST)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert passed > count << 20
    assert peak < 8 << 20


def test_processors_have_the_names_that_images_use() -> None:
    """The kernel says x86_64 where an image says amd64; unknown ones keep their name."""
    assert str(Platform.of_machine("x86_64")) == "linux/amd64"
    assert Platform.of_machine("aarch64").architecture == "arm64"
    assert Platform.of_machine("novel").architecture == "novel"
    assert Platform.of_host().os == "linux"
