# SPDX-License-Identifier: Apache-2.0
"""Directory of one restore, where the engine's runtime looks for it; made as root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from novadocker.checkpoint import places as shared
from novadocker.virt.docker.checkpoint import criu
from novadocker.virt.docker.checkpoint.places import IMAGES, directory_of, refuse_container
from novadocker.virt.docker.checkpoint.privileged.context import entrypoint

_RUNTIME = """\
#!/bin/sh
for word; do
    case $word in
    create) exec '{python}' -I -S '{module}' '{directory}' '{images}' '{path}' "$@" ;;
    start) exit 0 ;; # the restored processes run already
    esac
done
exec runc "$@"
"""
_GATE = """\
#!/bin/sh
[ "$CRTOOLS_SCRIPT_ACTION" = pre-resume ] || exit 0
exec '{python}' -I -S '{ask}' '{directory}' resume
"""


@entrypoint
def stage(uuid: str, container_id: str, program: str, owner: int) -> str:
    """Let the engine's next start of a container be the restore of its checkpoint.

    Args:
        uuid: Nova's id of the server.
        container_id: engine's id of the container.
        program: path of CRIU.
        owner: user id of the driver.

    Returns:
        Path of the socket where the driver is to listen.
    """
    refuse_container(container_id)
    directory = shared.WAITING / container_id
    _remove(directory)
    directory.mkdir(parents=True)
    # The driver, and it alone, makes its socket there; what root runs lies beside, and is root's.
    socket = directory / shared.SOCKET
    socket.parent.mkdir()
    os.chown(socket.parent, owner, -1)
    directory.chmod(0o711)
    (directory / shared.WORK).mkdir(mode=0o700)
    named = {
        "python": sys.executable,
        "module": shared.RUNTIME_MODULE,
        "ask": shared.ASK_PROGRAM,
        "directory": directory,
        "images": directory_of(uuid) / IMAGES,
        "path": criu.path_with(program),
    }
    (directory / "criu.conf").write_text(f"action-script {directory / shared.GATE}\n")
    for name, text in ((shared.GATE, _GATE), (shared.RUNTIME, _RUNTIME)):
        script = directory / name
        script.write_text(text.format(**named))
        script.chmod(0o700)
    return str(socket)


@entrypoint
def unstage(container_id: str) -> str:
    """Let the next start of a container be a start again. Idempotent.

    Args:
        container_id: engine's id of the container.

    Returns:
        Reason of a restore that failed, by CRIU's log; "" without one.
    """
    refuse_container(container_id)
    directory = shared.WAITING / container_id
    log = directory / shared.WORK / "restore.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    _remove(directory)
    return criu.reason(text)


def _remove(directory: Path) -> None:
    # A killed CRIU leaves its view of the host's control groups mounted here, and a removal
    # would walk into them.
    for yard in directory.glob(f"{shared.WORK}/.criu.cgyard.*"):
        subprocess.run(
            ("umount", "--lazy", "--recursive", str(yard)),
            check=os.path.ismount(yard),
            capture_output=True,
        )
    if directory.exists():
        shutil.rmtree(directory)
