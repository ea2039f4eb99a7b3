# SPDX-License-Identifier: Apache-2.0
"""CRIU on this host: version, search path, and the reasons in its logs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from novadocker.errors import CheckpointError

OLDEST = (4, 2)  # older ones cannot read sockets of Linux 6.16 and newer
_VERSION = re.compile(r"^Version: (\d+)\.(\d+)", re.MULTILINE)
_ERROR = re.compile(r"Error \([^)]*\): (.*)")
# Lines that follow from the first fault and hide it, or are no fault.
_OTHERS = ("FAILED", "criu failed", "exited", "Can't dump task", "RLIMIT_NOFILE for self")


def path_with(program: str) -> str:
    """Return a search path on which runc finds CRIU, which it knows by name alone.

    Args:
        program: absolute path of CRIU.
    """
    return f"{Path(program).parent}:{os.environ.get('PATH', os.defpath)}"


def find(program: str) -> str:
    """Return the absolute path of a usable CRIU.

    Args:
        program: name or path by ``[docker] criu``.

    Raises:
        CheckpointError: there is none, the name is not ``criu``, or the version is too old.
    """
    found = shutil.which(program)
    if found is None or Path(found).name != "criu":
        raise CheckpointError(reason=f"[docker] criu names no program called criu: {program}")
    if version(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise CheckpointError(reason=f"{found} is older than CRIU {oldest}")
    return str(Path(found).absolute())


def version(program: str) -> tuple[int, int]:
    """Return the version of a CRIU; zeros where it tells none.

    Args:
        program: absolute path of CRIU.
    """
    told = subprocess.run(
        (program, "--version"), capture_output=True, text=True, timeout=30, check=False
    ).stdout
    found = _VERSION.search(told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def reason(log: str) -> str:
    """Return the first fault in a log of CRIU's.

    Args:
        log: text of ``dump.log`` or ``restore.log``.

    Returns:
        One line; "" without a fault.
    """
    faults = _ERROR.findall(log)
    telling = (each for each in faults if not any(word in each for word in _OTHERS))
    return next(telling, "").strip()
