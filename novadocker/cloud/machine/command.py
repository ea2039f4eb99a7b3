# SPDX-License-Identifier: Apache-2.0
"""Program to run, as a service or at once."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.cloud.errors import CommandFailed

_BOUND_SECONDS = 60


@dataclass(frozen=True)
class Command:
    """Process in the foreground.

    Args:
        name: how the process is called in tables and logs.
        argv: the program and its arguments.
        env: variables beyond the common environment.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def run(*argv: str, env: Mapping[str, str] | None = None, patience: float = _BOUND_SECONDS) -> str:
    """Run a preparing program and return the output.

    Args:
        argv: the program and its arguments.
        env: whole environment; ours, if none is given.
        patience: the seconds that it gets.
    """
    try:
        done = subprocess.run(
            argv, check=True, capture_output=True, text=True, timeout=patience, env=env
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout).strip()
        raise CommandFailed(command=" ".join(argv), reason=reason) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(command=" ".join(argv), reason=str(error)) from error
    return done.stdout


def entering(namespace: str | None) -> tuple[str, ...]:
    """Return the words before a program's own to enter a network namespace; none for the machine's.

    Not ``ip netns exec``: that mounts another /sys, without the machine's cgroups.
    """
    return ("nsenter", f"--net=/run/netns/{namespace}") if namespace else ()
