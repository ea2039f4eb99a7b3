# SPDX-License-Identifier: Apache-2.0
"""Programs of the data plane, each called in the namespace of the calling process."""

import json
import os
import subprocess
from typing import Any

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {**os.environ, "PATH": _PATH}


def run(*words: object) -> str:
    """Run a program and return its output; a failure raises with the program's words."""
    argv = [str(word) for word in words]
    done = subprocess.run(
        argv, check=False, capture_output=True, text=True, timeout=20, env=_ENVIRONMENT
    )
    if done.returncode:
        raise OSError(done.returncode, f"{' '.join(argv)}: {done.stderr or done.stdout}")
    return done.stdout


def ask(*words: object) -> Any:
    """Run a program that answers in JSON."""
    return json.loads(run(*words) or "[]")


def link(name: str) -> dict[str, Any] | None:
    """Return what ``ip`` tells of a device, or None."""
    try:
        (found,) = ask("ip", "-j", "-d", "link", "show", "dev", name)
    except OSError:
        return None
    return dict(found)
