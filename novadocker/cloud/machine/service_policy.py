# SPDX-License-Identifier: Apache-2.0
"""Debian's ``policy-rc.d``: no service starts while packages are installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATH = Path("/usr/sbin/policy-rc.d")
# By the mark a policy is known for ours after a run that was killed, and is not taken for the
# owner's: the machine would start no package's service ever again.
_MARK = "# Put here by novadocker-cloud"
_TEXT = f"#!/bin/sh\n{_MARK} while packages are installed: no service may start.\nexit 101\n"
# What versions before the mark left.
_UNMARKED = "#!/bin/sh\n# Put here while packages are installed: no service may start.\nexit 101\n"


@contextmanager
def no_service_starts(path: Path = PATH) -> Iterator[None]:
    """Keep packages from starting services; a policy of the machine's owner stays."""
    remove_ours(path)
    if path.exists():
        yield
        return
    # Whole at once: half a policy would neither forbid anything nor be known for ours.
    draft = path.with_name(f".{path.name}.novadocker-cloud")
    draft.write_text(_TEXT)
    draft.chmod(0o755)
    draft.rename(path)
    try:
        yield
    finally:
        path.unlink()


def remove_ours(path: Path = PATH) -> None:
    """Remove a policy of ours, left by a killed run."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return
    if _MARK in text or text == _UNMARKED:
        path.unlink()
