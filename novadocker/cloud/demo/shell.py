# SPDX-License-Identifier: Apache-2.0
"""Shell of the demonstration: shown commands, run as a tenant types commands."""

import os
import subprocess
import sys
from pathlib import Path

from novadocker.cloud.clients import environment as clients
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.layout.layout import Layout

_PATIENCE = 300


class Shell:
    """A tenant's shell.

    Args:
        layout: the cloud.
        screen: where commands and their output are shown.
    """

    def __init__(self, layout: Layout, screen: Screen) -> None:
        self.layout = layout
        self._screen = screen
        # The clients' own command is found before the environment's.
        programs = (clients.command(layout).parent, Path(sys.prefix) / "bin")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
            "PATH": ":".join((*map(str, programs), os.environ["PATH"])),
            "OS_CLIENT_CONFIG_FILE": str(layout.clouds_yaml),
            "OS_CLOUD": "demo",
        }

    def introduce(self) -> None:
        """Show the line to type once."""
        self._screen.note(
            f"From here on as the tenant 'demo':\n     $ {clients.evaluation(self.layout)}"
        )

    def run(self, *argv: str) -> str:
        """Run a command and show the command without the output.

        Args:
            *argv: words of the command.

        Returns:
            What it prints, without the space around it.
        """
        self._screen.command(argv)
        try:
            done = subprocess.run(
                argv,
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=self._environment,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(command=argv[0], reason=str(error)) from error
        if done.returncode:
            reason = f"exit code {done.returncode}: {(done.stderr or done.stdout).strip()}"
            raise CommandFailed(command=" ".join(argv), reason=reason)
        return done.stdout.strip()

    def show(self, *argv: str) -> str:
        """Run a command and show the command with the output.

        Args:
            *argv: words of the command.

        Returns:
            What it prints, without the space around it.
        """
        output = self.run(*argv)
        self._screen.show(output)
        return output
