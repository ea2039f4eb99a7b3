# SPDX-License-Identifier: Apache-2.0
"""A libvirtd of our own for hosts with virtual machines, without systemd and without KVM.

Every directory that libvirtd knows by a fixed name is bound over in a mount namespace of its
own, so that nothing of a system's libvirt is read or changed.
"""

import errno
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.machine import remains_of_cloud
from novadocker.cloud.machine.command import Command

LIBVIRTD = "libvirtd"
_BINDING = Path("/usr/lib/python3/dist-packages")
PROGRAMS = {
    LIBVIRTD: "libvirt-daemon",
    "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so": (
        "libvirt-daemon-driver-qemu"
    ),
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mformat": "mtools",
    "syslinux": "syslinux",
    "/usr/lib/syslinux/mbr/mbr.bin": "syslinux-common",
    str(_BINDING / "libvirt.py"): "python3-libvirt",
}
_SCRIPT = Path(__file__).parents[1] / "programs" / "libvirtd.sh"
# Debian's number for the user that its package of the system's libvirt would make.
_QEMU_USER, _QEMU_ID = "libvirt-qemu", 64055
# The parent of all machines' cgroups where no systemd makes slices.
_CGROUP = "machine"

_LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 0
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "{uuid}"
log_outputs = "3:stderr"
"""
_QEMU_CONF = f"""\
user = "{_QEMU_USER}"
group = "{_QEMU_USER}"
dynamic_ownership = 1
remember_owner = 0
security_driver = "none"
namespaces = []
stdio_handler = "file"
"""


def state(host: ComputeHost) -> Path:
    """Return the directory of a host's libvirtd."""
    return host.data / "libvirt"


def socket(host: ComputeHost) -> Path:
    """Return the socket on which a host's libvirtd listens."""
    return state(host) / "run/libvirt-sock"


def uri(host: ComputeHost) -> str:
    """Return the address of a host's libvirtd for its clients."""
    return f"qemu:///system?socket={socket(host)}"


def command(host: ComputeHost) -> Command:
    """Return the command of a host's libvirtd."""
    return Command(
        host.service(LIBVIRTD),
        (
            "unshare",
            "--mount",
            "--uts",
            "--propagation",
            "slave",
            *(str(_SCRIPT), str(state(host)), host.name),
        ),
    )


def directories(host: ComputeHost) -> tuple[Path, ...]:
    """Return the directories that libvirtd finds under its own names."""
    root = state(host)
    return tuple(root / name for name in ("etc/qemu", "lib/qemu", "run", "cache", "log/qemu"))


def configuration(host: ComputeHost) -> dict[Path, str]:
    """Return the files of a host's libvirtd."""
    etc = state(host) / "etc"
    # Of the host's own name, so that it stays the same over a purge.
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host.name}.{host.data}")
    user = f"{_QEMU_USER}:x:{_QEMU_ID}:{_QEMU_ID}::/nonexistent:/usr/sbin/nologin\n"
    return {
        etc / "libvirtd.conf": _LIBVIRTD_CONF.format(uuid=identity),
        etc / "qemu.conf": _QEMU_CONF,
        # The user is looked for before the configuration is read, and must exist.
        etc / "passwd": _without_qemu(Path("/etc/passwd")) + user,
        etc / "group": _without_qemu(Path("/etc/group")) + f"{_QEMU_USER}:x:{_QEMU_ID}:\n",
        # Else libvirtd asks the network for its own name at each of Nova's questions.
        etc / "hosts": f"127.0.0.1 localhost {host.name}\n",
    }


def link_binding(venv: Path) -> None:
    """Link Debian's Python binding of libvirt into the virtual environment; may be repeated.

    Args:
        venv: virtual environment of nova-compute.

    Raises:
        HostUnfit: the binding was made for another Python.
    """
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    modules = list(_BINDING.glob(f"libvirtmod*{suffix}"))
    if not modules:
        raise HostUnfit(
            reason=f"Debian's python3-libvirt has no module for Python {sys.version_info.major}."
            f"{sys.version_info.minor}; make the environment with Debian's own python3"
        )
    (packages,) = venv.glob("lib/python3.*/site-packages")
    for path in (_BINDING / "libvirt.py", *modules):
        link = packages / path.name
        if not link.exists():
            link.symlink_to(path)


def sweep(host: ComputeHost) -> None:
    """End the machines of a host and remove their cgroups; call it when libvirtd has ended.

    QEMU does not inherit the mark of the cloud's processes: the directory in its arguments
    says whose it is.
    """
    remains_of_cloud.kill(_machines(host))
    for root in remains_of_cloud.cgroup_roots(_CGROUP):
        if not any(map(_has_processes, root.rglob("cgroup.procs"))):
            remains_of_cloud.remove_cgroup(_CGROUP)
            break


def _has_processes(path: Path) -> bool:
    try:
        return bool(path.read_text().strip())
    except OSError as error:
        # A group of threads alone, for a machine's processors: the group above names the process.
        if error.errno == errno.EOPNOTSUPP:
            return False
        raise


def _machines(host: ComputeHost) -> Iterator[psutil.Process]:
    mark = f"{state(host)}/"
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if (process.info["name"] or "").startswith("qemu-system") and any(
            mark in word or str(host.nova_state) in word for word in words
        ):
            yield process


def _without_qemu(path: Path) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{_QEMU_USER}:"))
