# SPDX-License-Identifier: Apache-2.0
"""Layers in the making: as tools write them, and as nobody should."""

import tarfile

from tests.unit.archive.members import (
    CAPABILITY,
    END,
    _ustar,
    changed,
    device,
    directory,
    file,
    hard_link,
    member,
    pax,
    record,
    symlink,
)

HOSTILE: dict[str, tuple[bytes, str]] = {
    # names
    "a name below the parent": (file("../etc/passwd"), "'..' in its name"),
    "a name through the parent": (file("a/../../etc/passwd"), "'..' in its name"),
    "a name that ends in the parent": (directory("a/.."), "'..' in its name"),
    "a parent in a long record": (file("a/" * 80 + "../x"), "'..' in its name"),
    "a parent in pax": (pax(path="a/../../x") + file("x"), "'..' in its name"),
    "a parent in a prefix": (
        changed(file("x", tar_format=tarfile.USTAR_FORMAT), 345, b"a/.."),
        "'..' in its name",
    ),
    "a parent in the prefix that Go reads in broken GNU headers": (
        changed(file("x"), 345, b"../../up"),
        "'..' in its name",
    ),
    "an empty name": (changed(file("x"), 0, bytes(100)), "impossible name"),
    "a zero byte in a name": (pax(path="a\0b") + file("x"), "a zero byte"),
    "a name longer than Linux has": (file("d/" * 3000 + "x"), "longer than 4094 bytes"),
    "a name deeper than any image's": (file("d/" * 257 + "x"), "more than 256 deep"),
    "a first name that begins like xz": (
        changed(file("x"), 0, b"\xfd7zXZ\0"),
        "is compressed with xz",
    ),
    "a first name that begins like bzip2": (file("BZh91AY"), "is compressed with bzip2"),
    "a first name that begins like gzip": (
        changed(file("x"), 0, b"\x1f\x8b\x08"),
        "as if it were compressed once more",
    ),
    "a first name that begins like zstd": (
        changed(pax(path="a"), 0, b"\x28\xb5\x2f\xfd") + file("x"),
        "as if it were compressed once more",
    ),
    "a file with the root's name": (file("./"), "name of the root directory"),
    "a link with the root's name": (symlink(".", "/"), "name of the root directory"),
    # whiteouts
    "a whiteout of the parent": (file("a/.wh...", b""), "whiteout of nothing"),
    "a whiteout of its own directory": (file("a/.wh..", b""), "whiteout of nothing"),
    "a whiteout without a name": (file(".wh.", b""), "whiteout of nothing"),
    "a whiteout of a whiteout": (file(".wh..wh.a", b""), "whiteout of nothing"),
    "a hard link's origin of aufs": (file(".wh..wh.plnk/1.2", b""), "named like a whiteout"),
    "aufs's own file with content": (file(".wh..wh.aufs"), "whiteout of nothing"),
    "aufs's own file in a directory": (file("d/.wh..wh.aufs", b""), "whiteout of nothing"),
    "a file below what a whiteout hides": (file(".wh.a", b"") + file("a/b"), "a whiteout in"),
    "a device below what a whiteout hides": (
        file(".wh.test", b"") + device("test/test", 1, 3),
        "lies below b'test', a whiteout in the same layer",
    ),
    "a whiteout of a file of its own layer": (file("a") + file(".wh.a", b""), "is hidden by a"),
    "a whiteout of a directory of its own layer": (
        file("a/b") + file(".wh.a", b""),
        "is hidden by a whiteout of the same layer",
    ),
    "a directory below what a whiteout hides": (
        file(".wh.a", b"") + directory("a/c"),
        "lies below",
    ),
    "a directory behind a link to nothing": (symlink("a", "b") + directory("a/c"), "not before it"),
    "a file below what a whiteout hides through a link": (
        directory("d") + symlink("l", "d") + file("l/.wh.a", b"") + file("d/a/b"),
        "a whiteout in the same layer",
    ),
    "a file below a whiteout": (file(".wh.a/b"), "named like a whiteout"),
    "a file below an opaque mark": (file("a/.wh..wh..opq/b"), "named like a whiteout"),
    "a whiteout with content": (file(".wh.a"), "no empty file"),
    "a whiteout that is a directory": (directory(".wh.a"), "no empty file"),
    "a whiteout that is a symbolic link": (symlink(".wh.a", "/etc"), "no empty file"),
    "a whiteout linked to a file": (file("f") + hard_link(".wh.a", "f"), "no empty file"),
    "an opaque mark that is a link": (symlink("a/.wh..wh..opq", "/"), "no empty file"),
    "overlayfs's own whiteout": (device("etc", 0, 0), "device 0:0"),
    # names that come twice
    "a file that comes twice": (file("a", b"1") + file("./a", b"2"), "'a' comes twice"),
    "a directory that comes twice": (directory("d") + directory("d/"), "'d' comes twice"),
    "a root that comes twice": (directory("./") + directory("."), "'' comes twice"),
    "a link that a directory takes the place of": (
        symlink("a", "/x") + directory("a") + file("a/b"),
        "'a' comes twice",
    ),
    "a hard link to itself, later": (file("a") + hard_link("a", "a"), "'a' comes twice"),
    # links
    "a hard link to the host's file": (hard_link("a", "/etc/shadow"), "no file before it"),
    "a hard link to a parent": (hard_link("a", "../../etc/shadow"), "'..' in its name"),
    "a hard link within and out": (file("b") + hard_link("a", "b/../../x"), "'..' in its name"),
    "a hard link to a lower layer": (hard_link("a", "bin/sh"), "no file before it"),
    "a hard link to a later file": (hard_link("a", "b") + file("b"), "no file before it"),
    "a hard link to itself": (hard_link("a", "a"), "no file before it"),
    "a hard link to a directory": (directory("d") + hard_link("a", "d"), "no file before it"),
    "a hard link in a long record": (hard_link("a", "d/" * 80 + ".."), "'..' in its name"),
    "a hard link without a target": (hard_link("a", ""), "which cannot be"),
    "a hard link with content": (
        file("b") + member("a", tarfile.LNKTYPE, b"data", linkname="b"),
        "is not a file and yet has 4 bytes",
    ),
    "a symbolic link without a target": (symlink("a", ""), "which cannot be"),
    "a symbolic link with a zero byte": (
        pax(linkpath="a\0b") + symlink("a", "b"),
        "a zero byte",
    ),
    "a symbolic link longer than Linux has": (symlink("a", "t" * 5000), "which cannot be"),
    "a file through a link to the root": (
        symlink("a", "/") + file("a/etc/passwd"),
        "behind the symbolic link",
    ),
    "a file through a link to a parent": (
        symlink("a", "../..") + file("a/x"),
        "behind the symbolic link",
    ),
    "a file through two links": (
        symlink("b", "/") + symlink("a", "b/c") + file("a/x"),
        "behind the symbolic link",
    ),
    "a file through a link and a parent": (
        symlink("d/up", "../../x") + file("d/up/y"),
        "behind the symbolic link",
    ),
    "a file through a hard link to a link": (
        symlink("a", "/etc") + hard_link("b", "a") + file("b/passwd"),
        "behind the symbolic link",
    ),
    "a file through a link to itself": (symlink("a", "a") + file("a/x"), "behind the symbolic"),
    "a file through links in a ring": (
        symlink("a", "b") + symlink("b", "a") + file("a/x"),
        "behind the symbolic link",
    ),
    "a whiteout through a link": (
        symlink("a", "/") + file("a/.wh.etc", b""),
        "behind the symbolic link",
    ),
    "a directory through a link": (symlink("a", "/") + directory("a/b/"), "behind the symbolic"),
    # kinds
    "a disk": (device("dev/sda", 8, 0, tarfile.BLKTYPE), "a block device"),
    "the kernel's memory": (device("dev/kmem", 1, 2), "device 1:2"),
    "the host's memory": (device("x", 1, 1), "device 1:1"),
    "a terminal of the host": (device("dev/tty0", 4, 0), "device 4:0"),
    "FUSE": (device("dev/fuse", 10, 229), "device 10:229"),
    "a device that no kernel has": (device("x", 1, 0o7777777), "device 1:2097151"),
    "a contiguous file": (member("a", tarfile.CONTTYPE), "contiguous file"),
    "a sparse file of GNU": (member("a", tarfile.GNUTYPE_SPARSE), "sparse file"),
    "a sparse file of pax 0.1": (pax(**{"GNU.sparse.size": "9"}) + file("a"), "sparse file"),
    "a sparse file of pax 1.0": (pax(**{"GNU.sparse.major": "1"}) + file("a"), "sparse file"),
    "an unknown kind": (member("a", b"Z"), "unknown type"),
    "an incremental directory": (member("a", b"D", b"Yfile\0"), "is not a file and yet"),
    "a volume label": (member("a", b"V"), "unknown type"),
    "a directory with content": (member("a", tarfile.DIRTYPE, b"data"), "is not a file and yet"),
    "a device with content": (member("a", tarfile.CHRTYPE, b"data"), "is not a file and yet"),
    # attributes
    "an opaque directory by attribute": (
        pax(**{"SCHILY.xattr.trusted.overlay.opaque": "y"}) + directory("etc"),
        "for overlayfs alone",
    ),
    "a directory led elsewhere": (
        pax(**{"SCHILY.xattr.trusted.overlay.redirect": "/root"}) + directory("etc"),
        "for overlayfs alone",
    ),
    "the same for a user's overlay": (
        pax(**{"SCHILY.xattr.user.overlay.redirect": "/root"}) + directory("etc"),
        "for overlayfs alone",
    ),
    # two readings
    "two pax headers": (pax(path="a") + pax(path="b") + file("c"), "only one can count"),
    "two long names": (
        record(b"L", b"a\0") + record(b"L", b"b\0") + file("c"),
        "only one can count",
    ),
    "a long name and a pax name": (record(b"L", b"a\0") + pax(path="b") + file("c"), "two names"),
    "a long link and a pax link": (
        record(b"K", b"a\0") + pax(linkpath="b") + symlink("c", "d"),
        "two targets",
    ),
    "a global header between": (
        pax(path="a") + record(b"g", b"") + file("c"),
        "only one can count",
    ),
    "a global name": (record(b"g", b"9 path=a\n") + file("c"), "for all members"),
    "a global size": (record(b"g", b"9 size=0\n") + file("c"), "for all members"),
    "a damaged pax header": (record(b"x", b"99 path=a\n") + file("c"), "damaged near"),
    "a pax header without end": (record(b"x", b"9 path=a_") + file("c"), "damaged near"),
    "a negative size in pax": (pax(size="-1") + file("a"), "impossible size"),
    "an overlong size in pax": (pax(size="9" * 30) + file("a"), "impossible size"),
    "a size in letters": (changed(file("a"), 124, b"notoctal\0\0\0\0"), "impossible size"),
    "a negative size": (changed(file("a"), 124, b"\xff" * 12), "impossible size"),
    "a huge size": (changed(file("a"), 124, b"\x80" + b"\xff" * 11), "impossible size"),
    "a size beyond the layer": (changed(file("a"), 124, b"00000177777\0"), "cut off after 1"),
    "an extended header beyond reason": (
        changed(record(b"x", b""), 124, b"00077777777\0"),
        "an extended header has",
    ),
    "an extended header without a member": (pax(path="a"), "an extended header of no member"),
    "a size in letters, and a mode": (changed(file("a"), 100, b"notoctal"), "impossible mode"),
    "a time in letters": (changed(file("a"), 136, b"tomorrow\0\0\0\0"), "impossible time"),
    "a time in letters in pax": (pax(mtime="now") + file("a"), "impossible mtime"),
    "an owner in letters in pax": (pax(uid="root") + file("a"), "impossible uid"),
    "a zero byte in a user's name": (pax(uname="a\0b") + file("a"), "a zero byte"),
    "a key of no letters": (record(b"x", b"5 =a\n") + file("a"), "or nothing"),
    # owners
    "an owner that no container has": (file("a", uid=65536), "the user or group 65536"),
    "a group that no container has": (file("a", gid=834600147), "the user or group 834600147"),
    "an owner in pax": (pax(uid="834600147") + file("a"), "the user or group 834600147"),
    "a negative owner": (file("a", uid=-1), "the user or group -1"),
    # other readings than Go's
    "a prefix under another version of ustar": (
        symlink("l", "/etc") + changed(_ustar("passwd"), 263, b"01" + b"\0" * 80 + b"l"),
        "behind the symbolic link",
    ),
    "a parent in a prefix under no version": (
        changed(changed(_ustar("x"), 263, b"  "), 345, b"../../.."),
        "'..' in its name",
    ),
    "a prefix where Go finds no time in a GNU header": (
        symlink("l", "/etc") + changed(file("x"), 345, b"l\0" + bytes(10)),
        "behind the symbolic link",
    ),
    "a prefix that a GNU header's time makes one by its size": (
        changed(file("x"), 345, b"/../..\0" + bytes(5) + b"\x80" + b"\x7f" * 11),
        "'..' in its name",
    ),
    "overlayfs's own whiteout in a header of Unix version 7": (
        changed(changed(device("etc", 1, 3), 257, bytes(8)), 329, b"0000001\x000000003\0"),
        "device 0:0",
    ),
    "a global header's name above the root": (
        changed(record(b"g", b"15 comment=ab\n\n"), 0, b"../../etc/x\0") + file("a"),
        "'..' in its name",
    ),
    "a global header that is a whiteout": (
        changed(record(b"g", b"15 comment=ab\n\n"), 0, b"etc/.wh.passwd\0") + file("a"),
        "of a whiteout",
    ),
    # ways
    "a file below a file": (file("a") + file("a/b"), "lies below b'a', no directory"),
    "a file in the place of its directory": (file("a/b") + file("a"), "others lie below it"),
    "a link in the place of its directory": (
        file("a/b") + symlink("a", "/etc") + file("a/b/c"),
        "others lie below it",
    ),
    "a link in the place of a directory, by way of another": (
        symlink("s", ".") + file("a/b") + symlink("s/a", "/etc"),
        "others lie below it",
    ),
    "a link to another place, by way of a third": (
        directory("d")
        + symlink("s", ".")
        + symlink("a", "d")
        + file("a/b")
        + symlink("s/a", "/etc")
        + file("a/c"),
        "behind the symbolic link",
    ),
    "a file behind a link to nothing": (symlink("a", "b") + file("a/c"), "not before it"),
    "a second archive behind the end": (file("a") + END + file("b"), "after the end"),
    "a second archive behind half an end": (file("a") + END[:512] + file("b"), "after the end"),
    "no header where one should be": (file("a") + b"\xff" * 512, "no sound tar header after 1"),
    "a wrong checksum": (file("a") + b"\1" + file("b")[1:], "no sound tar header after 1"),
}

# Each is something that tools do write, and engines unpack.
SOUND: dict[str, bytes] = {
    "nothing": b"",
    "names that begin with a dot": directory("./") + file("./etc/motd") + file("././x"),
    "absolute names": directory("/layers") + file("/layers/a") + file("//etc/passwd"),
    "absolute names in long records": file("/" + "d/" * 80 + "x") + pax(path="/b") + file("x"),
    "what aufs kept for itself": (
        file(".wh..wh.aufs", b"") + directory(".wh..wh.orph") + directory(".wh..wh.plnk")
    ),
    "a whiteout and a directory in its place": (file(".wh.a", b"") + directory("a") + file("a/b")),
    "owners up to the last": file("a", uid=65535, gid=65535),
    "an owner in pax for one that a header has no room for": (
        pax(uid="1000", gid="+5") + file("a", uid=2097151, gid=2097151)
    ),
    "times before 1970": pax(mtime="-1.5", atime="1.", ctime="") + file("a"),
    "a time in a GNU header behind which there is more": changed(
        file("a"), 345, b"12\x00 34\0\0\0\0\0\0"
    ),
    "a link to elsewhere that is a name again by way of another": (
        directory("d") + symlink("s", "d") + file("s/a") + file("d/a") + hard_link("b", "s/a")
    ),
    "the root as kaniko writes it": directory("/") + file("etc/motd"),
    "names that are not UTF-8": file("caf\udce9") + hard_link("th\udce9", "caf\udce9"),
    "names with odd characters": file("a b\n\t\\*?") + file("...") + file("..a") + file("a.."),
    "names that only look like whiteouts": file("a.wh.b") + file(".whatever") + file("x/.w"),
    "whiteouts": file(".wh.a", b"") + file("d/.wh.b", b"") + file(".wh....", b""),
    "opaque directories": file("d/.wh..wh..opq", b"") + file(".wh..wh..opq", b""),
    "whiteouts of aufs": file(".wh.a", b"") + hard_link("d/.wh.b", ".wh.a"),
    "a whiteout and what takes its place": file(".wh.a", b"") + file("a"),
    "a file in a directory that comes later": file("d/a") + directory("d"),
    "links to anywhere": symlink("a", "/etc/x") + symlink("d/b", "../../..") + symlink("c", "."),
    "files behind a link that stays": (
        symlink("bin", "usr/bin") + directory("usr/bin") + file("bin/sh")
    ),
    "hard links": file("a") + hard_link("b", "a") + hard_link("c", "./b") + hard_link("d", "/a"),
    "hard links to links and pipes": (
        symlink("s", "/x")
        + hard_link("t", "s")
        + member("p", tarfile.FIFOTYPE)
        + hard_link("q", "p")
    ),
    "the devices of every container": b"".join(
        device(f"dev/{major}-{minor}", major, minor)
        for major, minor in [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)]
    ),
    "capabilities": pax(**{"SCHILY.xattr.security.capability": CAPABILITY}) + file("ping"),
    "attributes of users": file("a", records={"SCHILY.xattr.user.x": "é", "mtime": "1.5"}),
    "other attributes of overlay's namesake": file("a", records={"SCHILY.xattr.user.over": "1"}),
    "long names in GNU's way": file("d/" * 90 + "x") + symlink("l", "t/" * 90),
    "long names in pax": file("d/" * 90 + "x", tar_format=tarfile.PAX_FORMAT),
    "long names in ustar": file("d/" * 60 + "x", tar_format=tarfile.USTAR_FORMAT),
    "a name of many directories": file("d/" * 256 + "x"),
    "a comment of git archive": record(b"g", b"15 comment=ab\n\n") + file("a"),
    "a header of Unix version 7": changed(file("a"), 156, b"\0" + bytes(355)),
    "a directory of Unix version 7": changed(file("d/", b""), 156, b"\0"),
    "a size in base 256": changed(file("a"), 124, b"\x80" + bytes(10) + b"\1"),
    "a size in pax": pax(size="1") + changed(file("a"), 124, b"00000000000\0"),
    "times in a GNU header": changed(file("a"), 345, b"14000000000\x0014000000000\x00"),
    "a header of star": changed(
        file("a", tar_format=tarfile.USTAR_FORMAT),
        476,
        b"14000000000\x00" * 2 + b"\0" * 8 + b"tar\0",
    ),
}
