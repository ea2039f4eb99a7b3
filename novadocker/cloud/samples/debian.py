# SPDX-License-Identifier: Apache-2.0
"""A real Debian of more than 100 MB, with an SSH server that takes keys only."""

import os
import subprocess
import tempfile
from pathlib import Path

from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.machine import apt
from novadocker.cloud.samples.sample import Sample

_PACKAGES = ("openssh-server", "python3-minimal", "iproute2", "iputils-ping", "procps")
_UNWANTED = ("doc", "man", "locale", "info", "lintian")

_START = """\
#!/bin/sh
# Every server makes a host key of its own when it starts first.
set -e
key=/etc/ssh/ssh_host_ed25519_key
test -e "$key" || ssh-keygen -q -t ed25519 -N "" -f "$key"
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e
"""
_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
# Sessions through PAM want rights that a container does not have.
UsePAM no
"""
_LAST_LINES = 10


def build(root: Path) -> None:
    """Write the root file system, of the machine's own release of Debian."""
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        scratch = Path(name)
        (scratch / "start").write_text(_START)
        (scratch / "sshd.conf").write_text(_SSHD)
        (scratch / "apt.conf").write_text("\n".join(apt.options()) + "\n")
        # Its own scratch is there as well: /tmp may be kept in memory.
        _mmdebstrap(scratch, root)


def _mmdebstrap(scratch: Path, root: Path) -> None:
    unwanted = (f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNWANTED)
    done = subprocess.run(
        (
            "mmdebstrap",
            "--variant=minbase",
            "--format=tar",
            f"--include={','.join(_PACKAGES)}",
            f"--aptopt={scratch / 'apt.conf'}",
            "--dpkgopt=force-unsafe-io",
            *unwanted,
            f"--customize-hook=upload {scratch / 'start'} /usr/local/sbin/start",
            f"--customize-hook=upload {scratch / 'sshd.conf'} /etc/ssh/sshd_config.d/sample.conf",
            '--customize-hook=chmod 755 "$1/usr/local/sbin/start"',
            '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/apt/apt.conf.d/99mmdebstrap"',
            apt.codename(),
            str(root),
            *apt.sources(),
        ),
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-_LAST_LINES:])
        raise CommandFailed(command="mmdebstrap", reason=tail)


DEBIAN = Sample("debian", ("/usr/local/sbin/start",), Path(__file__), build)
