# SPDX-License-Identifier: Apache-2.0
"""``./test tempest|heat-tempest|neutron-tempest [regex]``: Tempest against the launched cloud."""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from novadocker.cloud import cli
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.supervision import supervisor
from tests.tempest import contents
from tests.tempest.workspace import EVERYTHING, MACHINES, NETWORKS, ORCHESTRATION, SUBSET, Workspace


def main() -> int:
    """Run Tempest, and return 0 for a selection that passed."""
    arguments = _arguments()
    state = Path(os.environ.get(cli.STATE_VARIABLE, cli.DEFAULT_STATE))
    with contextlib.ExitStack() as undo:
        if not _is_up(state):
            if cli.main(["up"]):
                return 1
            undo.callback(cli.main, ["down"])
        for wanted, addition in ((arguments.heat, "heat"), (arguments.neutron, "dns")):
            if wanted and not getattr(settings.load(state), addition):
                undo.callback(cli.main, ["up", "--without", addition])
                if cli.main(["up", "--with", addition]):
                    return 1
        return _run(Layout(state, settings.load(state)), arguments)


def _is_up(state: Path) -> bool:
    if not settings.is_ours(state):
        return False
    return supervisor.is_running(Layout(state, settings.load(state)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test tempest")
    parser.add_argument("regex", nargs="?", default="", help="which tests; all of ours without")
    parser.add_argument("--subset", action="store_true", help="those that ./test cloud has")
    parser.add_argument("--machines", action="store_true", help="virtual machines, a hybrid host's")
    parser.add_argument("--heat", action="store_true", help="those of Heat, and no others")
    parser.add_argument("--neutron", action="store_true", help="those of Neutron, and no others")
    return parser.parse_args()


def _run(layout: Layout, arguments: argparse.Namespace) -> int:
    workspace = Workspace(layout.state / "tempest")
    given = _contents(arguments)
    with given(layout, workspace.path) as subject:
        workspace.prepare(subject)
        report = workspace.run(_selection(arguments), arguments.regex, tell=_say)
    _say(str(report))
    if not report.is_good:
        _say(f"Traces are in {workspace.log}")
    return 0 if report.is_good else 1


def _contents(arguments: argparse.Namespace) -> Any:
    if arguments.machines:
        return contents.of_machines
    return contents.with_stacks if arguments.heat else contents.subject


def _selection(arguments: argparse.Namespace) -> Path:
    if arguments.machines:
        return MACHINES
    if arguments.heat:
        return ORCHESTRATION
    if arguments.neutron:
        return NETWORKS
    return SUBSET if arguments.subset else EVERYTHING


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
