# SPDX-License-Identifier: Apache-2.0
"""A Debian without a package manager: systemd, and what routers and debuggers are made of."""

import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from novadocker.cloud.machine import apt
from novadocker.cloud.samples.sample import Sample

PACKAGES = (
    "systemd",
    "iproute2",
    "iptables",
    "strace",
    "dash",
    "coreutils",
    "grep",
    "iputils-ping",
)
# What these depend on to be installed, and not to run.
NOT_RUN = ("debconf", "cdebconf", "dpkg", "perl", "libperl", "install-info", "tar", "usrmerge")
TAR = ("tar", "--xattrs", "--xattrs-include=security.capability", "--create", "--file")
LEFT_OUT = ("doc", "man", "locale", "info", "lintian", "bug", "zsh", "bash-completion")
# Revision 2 with the effective flag, NET_RAW permitted; see linux/capability.h.
NET_RAW = struct.pack("<IIIII", 0x0200_0001, 1 << 13, 0, 0, 0)
FILES = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/srv/web:/bin/sh\n",
    "etc/group": "root:x:0:\nweb:x:1000:\n",
    "etc/os-release": "ID=debian\n",
    "etc/systemd/system/hello.service": (
        "[Service]\n"
        "ExecStart=/bin/sh -c 'echo hello from a service; exec sleep infinity'\n"
        "StandardOutput=tty\nTTYPath=/dev/console\n"
    ),
}
LINKS = {
    "etc/systemd/system/default.target": "/lib/systemd/system/multi-user.target",
    "etc/systemd/system/multi-user.target.wants/hello.service": "../hello.service",
    # It would ask the console for a locale, and all else wait for the answer.
    "etc/systemd/system/systemd-firstboot.service": "/dev/null",
}


def build(root: Path) -> None:
    """Write the root file system."""
    wanted = [name for name in apt.with_dependencies(*PACKAGES) if not name.startswith(NOT_RUN)]
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        debs, tree = Path(scratch, "debs"), Path(scratch, "tree")
        debs.mkdir()
        _make_directories(tree)
        for deb in apt.download_all(sorted(set(wanted)), debs):
            _unpack(deb, tree)
        _settle(tree)
        _run(*TAR, root, "--directory", tree, "--numeric-owner", ".")


def _make_directories(tree: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):  # as Debian has them
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "srv/web", "var/tmp", "var/log"):
        (tree / name).mkdir(parents=True)
    for name in ("tmp", "var/tmp"):
        (tree / name).chmod(0o1777)


def _unpack(deb: Path, tree: Path) -> None:
    without = [f"--exclude=./usr/share/{name}" for name in LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as files:
        _run("tar", "-x", "--keep-directory-symlink", "-C", tree, *without, stdin=files.stdout)


def _settle(tree: Path) -> None:
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    for name, target in LINKS.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(target)
    setuid = tree / "usr/bin/id-as-root"
    shutil.copyfile(tree / "usr/bin/id", setuid)
    setuid.chmod(0o4755)
    ping = tree / "usr/bin/ping-with-capability"  # as Debian's postinst makes ping itself
    shutil.copyfile(tree / "usr/bin/ping", ping)
    ping.chmod(0o755)
    os.setxattr(ping, "security.capability", NET_RAW)


def _run(*words: object, **options: object) -> None:
    subprocess.run([str(each) for each in words], check=True, capture_output=True, **options)  # type: ignore[call-overload]


BOX = Sample("rights", ("/bin/sh",), Path(__file__), build)
