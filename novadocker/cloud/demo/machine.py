# SPDX-License-Identifier: Apache-2.0
"""Cloud on the machine: brought up, taken down, explained."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from novadocker.cloud.clients import environment as clients
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.samples import CACHE, Sample
from novadocker.cloud.supervision import supervisor

_LAST_LINES = 15
_WIDTH = 240


class Machine:
    """Cloud in a state directory.

    Args:
        state: the directory.
        screen: where its progress is shown.
    """

    def __init__(self, state: Path, screen: Screen) -> None:
        self._state = state.absolute()
        self._screen = screen
        self._log_begins = 0
        self.was_up = settings.is_ours(self._state) and supervisor.is_running(self.layout)

    @property
    def layout(self) -> Layout:
        """Layout of the cloud, once brought up."""
        return Layout(self._state, settings.load(self._state))

    @property
    def _compute_log(self) -> Path:
        return self.layout.log_of(self.layout.hosts[0].service("nova-compute"))

    @property
    def engine_url(self) -> str:
        """The Docker Engine of the compute host."""
        return self.layout.hosts[0].engine.url

    def up(self, prepare: Sequence[Sample], *options: str) -> None:
        """Bring the cloud up.

        Args:
            prepare: samples of which all that needs no engine is made meanwhile.
            *options: words after ``up``.
        """
        with self._screen.step("The cloud"), ThreadPoolExecutor(1) as meanwhile:
            roots = [meanwhile.submit(sample.prepare, CACHE) for sample in prepare]
            self._novadocker_cloud("up", *options)
            for root in roots:
                root.result()
        self._log_begins = self._compute_log.stat().st_size

    def down(self) -> None:
        """Stop the cloud; the state stays for the next time."""
        with self._screen.step("The cloud goes down; its state is kept"):
            self._novadocker_cloud("down")

    def last_errors(self) -> str:
        """Return the last errors in nova-compute's log since the cloud is up."""
        if not settings.is_ours(self._state):
            return ""
        log = self._compute_log
        text = log.read_bytes()[self._log_begins :].decode(errors="replace") if log.exists() else ""
        errors = [line[:_WIDTH] for line in text.splitlines() if " ERROR " in line]
        return "\n".join([f"From {log}:", *errors[-_LAST_LINES:]]) if errors else ""

    def explain(self) -> None:
        """Show how to use the remaining cloud."""
        layout = self.layout
        self._screen.note(
            "The cloud stays up. To use it as the tenant 'demo':\n\n"
            f"  {clients.evaluation(layout)}\n"
            "  openstack server list\n"
            "  openstack server create --image web --flavor c1.nano --network private \\\n"
            "      --security-group web --key-name demo --wait another\n"
            "  openstack floating ip create public\n"
            "  openstack server add floating ip another ADDRESS\n\n"
            f"OS_CLOUD=admin is the administrator. The key pair 'demo' is {layout.demo_key}.\n"
            "Services and their logs:  novadocker-cloud status, novadocker-cloud logs NAME\n"
            "To stop it, or to stop it and remove its state:\n\n"
            "  novadocker-cloud down\n"
            "  novadocker-cloud purge"
        )

    def suggest(self) -> None:
        """Show what to try after a demonstration that left nothing."""
        self._screen.note(
            "To try next:\n\n"
            "  ./demo --keep                        leave the cloud up, and say how to use it\n"
            "  ./demo --keep --with horizon,heat    with the dashboard, and stacks\n"
            "  ./demo --image mine.tar              your own image\n"
            "  docs/tenant.md, docs/operator.md     what servers can do; on your own cloud"
        )

    def _novadocker_cloud(self, *words: str) -> None:
        self._screen.command(("novadocker-cloud", *words))
        argv = [sys.executable, "-m", "novadocker.cloud", "--state", str(self._state), *words]
        # A process group of its own: Ctrl-C is for us, and we end what it began.
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
        ) as process:
            lines = []
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    self._screen.pass_by(line)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            reason = "".join(lines[-_LAST_LINES:]).strip()
            raise CommandFailed(command=f"novadocker-cloud {words[0]}", reason=reason)
