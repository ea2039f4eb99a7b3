# SPDX-License-Identifier: Apache-2.0
"""Workspace of Tempest: a directory with configuration, selection and log."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tempest

from tests.tempest import configuration
from tests.tempest.report import Report

HERE = Path(__file__).parent
EVERYTHING = HERE / "selection.txt"
SUBSET = HERE / "subset.txt"
MACHINES = HERE / "machines.txt"
ORCHESTRATION = HERE / "orchestration.txt"
NETWORKS = HERE / "networks.txt"
SKIPS = HERE / "skips.txt"
PROLOGUE = HERE / "prologue.sh"
# Two tests at once keep a machine of two processors busy; more only wait for each other.
CONCURRENCY = 2

_STESTR = """\
[DEFAULT]
test_path={tempest}/test_discover
top_dir={top}
group_regex=([^\\.]*\\.)*
"""


class Workspace:
    """Where one cloud is tried.

    Args:
        path: the directory, which is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "run.log"

    def prepare(self, subject: configuration.Subject) -> None:
        """Write what Tempest wants to find.

        Args:
            subject: the cloud.
        """
        for directory in ("etc", "log", "locks"):
            (self.path / directory).mkdir(parents=True, exist_ok=True)
        # It holds the administrator's password.
        self._conf.touch(mode=0o600)
        self._conf.write_text(configuration.render(subject))
        package = Path(tempest.__file__).parent
        (self.path / ".stestr.conf").write_text(_STESTR.format(tempest=package, top=package.parent))
        if not (self.path / ".stestr").is_dir():
            self._run("stestr", "init").check_returncode()

    def run(self, selection: Path, regex: str, tell: Callable[[str], None]) -> Report:
        """Run tests, with Tempest's output in the log.

        Args:
            selection: a file that names them.
            regex: names those to run instead; empty is all that were selected.
            tell: is given a line for every test as it ends.

        Returns:
            What became of them.
        """
        report = Report()
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                self._command(selection, regex),
                cwd=self.path,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                if report.read(line):
                    tell(line.rstrip())
        report.exit_code = process.returncode
        return report

    def _command(self, selection: Path, regex: str) -> list[str]:
        chosen = ["--regex", regex] if regex else ["--include-list", str(selection)]
        return [
            *(self._program("tempest"), "run", "--config-file", str(self._conf)),
            "--concurrency",
            str(CONCURRENCY),
            "--exclude-list",
            str(SKIPS),
            *chosen,
        ]

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program(program), *arguments],
            check=False,
            cwd=self.path,
            env=self._environment,
            capture_output=True,
            text=True,
        )

    @property
    def _conf(self) -> Path:
        return self.path / "etc" / "tempest.conf"

    @property
    def _environment(self) -> dict[str, str]:
        # Credentials of the caller's own cloud must not be mistaken for this one's.
        return {name: value for name, value in os.environ.items() if not name.startswith("OS_")}

    @staticmethod
    def _program(name: str) -> str:
        return str(Path(sys.executable).with_name(name))
