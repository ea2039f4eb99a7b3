# SPDX-License-Identifier: Apache-2.0
"""A tiny virtual machine: Debian's cloud kernel and BusyBox on a bootable disk, made without root.

The machine takes an address by DHCP on each network device, also on those that come later. It
answers ``http://address/`` with its name and addresses, repeats what is sent to TCP port 7,
ends when its power button is pressed, and has a shell on its serial port.
"""

import gzip
import os
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from novadocker.cloud.machine import apt, lock
from novadocker.cloud.machine.command import run
from novadocker.cloud.samples import busybox

_KERNEL = "linux-image-cloud-amd64"
_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
_SECTOR, _FIRST_SECTOR, _SPARE = 512, 2048, 3 * 2**20
_PARTITION_TYPE = 0x0C  # FAT32 with LBA
# In the order in which each needs the one before: the package has no list of that.
_MODULES = [
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
    "failover",
    "net_failover",
    "virtio_net",
    "evdev",
    "button",
]
_OPTIONS = "console=ttyS0,115200 quiet nomodeset mitigations=off no_timer_check"

_INIT = b"""#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module.ko"; done </modules/order
ip link set lo up
httpd -h /www
nc -ll -p 7 -e cat &
acpid -d -c /etc/acpi >/dev/null 2>&1 &
(while :; do setsid getty -n -l /bin/sh 115200 ttyS0 vt100; done) &
while :; do
  for path in /sys/class/net/eth*; do
    name=${path##*/}
    [ -e "$path" ] && [ ! -e "/run/$name" ] || continue
    touch "/run/$name"; ip link set "$name" up
    udhcpc -b -i "$name" -O staticroutes -s /etc/leased -t 60 -T 1 -A 1 -S >/dev/null 2>&1 &
  done
  for mark in /run/eth*; do [ -e "/sys/class/net/${mark##*/}" ] || rm -f "$mark"; done
  sleep 0.3
done
"""
_LEASED = b"""#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
[ "$interface" = eth0 ] && for each in $router; do ip route replace default via "$each"; done
set -- $staticroutes  # OVN's metadata is reached by one
while [ $# -ge 2 ]; do ip route replace "$1" via "$2" dev "$interface"; shift 2; done
[ "$hostname" ] && hostname "$hostname"
{ echo "Hello from $(hostname)"; ip -o -4 address; } >/www/index.html
echo "$interface has $ip/$mask" >/dev/console
"""
_POWER_BUTTON = b"#!/bin/sh\npoweroff -f\n"


def saved(cache: Path) -> Path:
    """Return the machine's disk, compressed as qcow2, which is made unless the cache has it.

    Args:
        cache: directory of the samples.

    Returns:
        Path of the disk, for Glance's container format ``bare``.
    """
    disk = cache / "machine.qcow2"
    with lock.awaited("sample-machine"):
        if not disk.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                made = _build(Path(scratch))
                made.replace(disk)
    return disk


def _build(scratch: Path) -> Path:
    kernel, modules = _fetch(scratch)
    initrd = scratch / "ramdisk"
    initrd.write_bytes(gzip.compress(_ramdisk(modules), 9, mtime=0))
    raw, compressed = scratch / "disk.raw", scratch / "disk.qcow2"
    _write_disk(raw, kernel, initrd)
    run("qemu-img", "convert", "-c", "-O", "qcow2", str(raw), str(compressed))
    return compressed


def _fetch(scratch: Path) -> tuple[Path, dict[str, bytes]]:
    """Return the kernel of Debian's package and the contents of our modules, by name."""
    listed = run("apt-cache", "depends", _KERNEL)
    package = next(
        word for word in listed.split() if word.startswith("linux-image-") and word != _KERNEL
    )
    archive = apt.download(package, scratch)
    subprocess.run(["dpkg-deb", "--extract", archive, scratch / "root"], check=True)
    found = {path.stem.replace("-", "_"): path for path in scratch.rglob("*.ko*")}
    (kernel,) = scratch.glob("root/boot/vmlinuz-*")
    return kernel, {name: found[name].read_bytes() for name in _MODULES}


def _ramdisk(modules: Mapping[str, bytes]) -> bytes:
    """Return the archive of the machine's root file system, in cpio's form ``newc``."""
    program, applets = busybox.unpacked()
    directories = [
        "bin",
        "dev",
        "etc",
        "etc/acpi",
        "etc/acpi/PWRF",
        "modules",
        "proc",
        "run",
        "sys",
        "www",
    ]
    members: dict[str, tuple[int, bytes]] = {
        **dict.fromkeys(directories, (0o040755, b"")),
        "bin/busybox": (0o100755, program),
        **{f"bin/{name}": (0o120777, b"busybox") for name in applets},
        "sbin": (0o120777, b"bin"),
        "init": (0o100755, _INIT),
        "etc/leased": (0o100755, _LEASED),
        "etc/acpi/PWRF/00000080": (0o100755, _POWER_BUTTON),
        "modules/order": (0o100644, "".join(f"{name}\n" for name in modules).encode()),
        **{f"modules/{name}.ko": (0o100644, content) for name, content in modules.items()},
    }
    entries = [
        _member(number, name, mode, content)
        for number, (name, (mode, content)) in enumerate(members.items(), 1)
    ]
    # The console must be there before /dev is mounted.
    entries.append(_member(len(members) + 1, "dev/console", 0o020600, b"", device=(5, 1)))
    entries.append(_member(0, "TRAILER!!!", 0, b""))
    return b"".join(entries)


def _member(
    number: int, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)
) -> bytes:
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % each for each in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _write_disk(disk: Path, kernel: Path, initrd: Path) -> None:
    """Write a disk with one FAT partition, from which syslinux starts the kernel."""
    sectors = (kernel.stat().st_size + initrd.stat().st_size + _SPARE) // _SECTOR
    anywhere = b"\xfe\xff\xff"  # cylinders and heads that LBA makes meaningless
    row = struct.pack(
        "<B3sB3sII", 0x80, anywhere, _PARTITION_TYPE, anywhere, _FIRST_SECTOR, sectors
    )
    loader = _MBR.read_bytes()[:440].ljust(446, b"\0")
    with disk.open("wb") as file:
        file.write(loader + row + bytes(48) + b"\x55\xaa")
        file.truncate((_FIRST_SECTOR + sectors) * _SECTOR)
    _write_partition(disk, sectors, {"kernel": kernel, "ramdisk": initrd})


def _write_partition(disk: Path, sectors: int, files: Mapping[str, Path]) -> None:
    config = disk.with_name("syslinux.cfg")
    config.write_text(
        f"default linux\nlabel linux\nkernel kernel\ninitrd ramdisk\nappend {_OPTIONS}\n"
    )
    start = _FIRST_SECTOR * _SECTOR
    partition = f"{disk}@@{start}"
    # A partition that does not begin on a track is no fault where nothing counts tracks.
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    geometry = ("-T", str(sectors), "-h", "255", "-s", "63", "-H", str(_FIRST_SECTOR))
    run("mformat", "-i", partition, *geometry, "::", env=env)
    for name, path in {**files, "syslinux.cfg": config}.items():
        run("mcopy", "-i", partition, str(path), f"::{name}", env=env)
    run("syslinux", "--offset", str(start), "--install", str(disk), env=env)
