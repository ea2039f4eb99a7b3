# SPDX-License-Identifier: Apache-2.0
"""``./test tempest [regex]``: Tempest against the launched cloud, which is brought up for it."""

import argparse
import os
import sys
from pathlib import Path

from novadocker.cloud import cli, settings
from novadocker.cloud.layout import Layout
from novadocker.cloud.supervision import supervisor
from tests.tempest import contents
from tests.tempest.workspace import EVERYTHING, SUBSET, Workspace


def main() -> int:
    """Run it, and return 0 if all that was selected passed."""
    arguments = _arguments()
    state = Path(os.environ.get(cli.STATE_VARIABLE, cli.DEFAULT_STATE))
    was_up = settings.is_ours(state) and supervisor.is_running(Layout(state, settings.load(state)))
    if not was_up and cli.main(["up"]):
        return 1
    try:
        return _run(Layout(state, settings.load(state)), arguments)
    finally:
        if not was_up:
            cli.main(["down"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test tempest")
    parser.add_argument("regex", nargs="?", default="", help="which tests; all of ours without")
    parser.add_argument("--subset", action="store_true", help="those that ./test cloud has")
    return parser.parse_args()


def _run(layout: Layout, arguments: argparse.Namespace) -> int:
    workspace = Workspace(layout.state / "tempest")
    with contents.subject(layout, workspace.path) as subject:
        workspace.prepare(subject)
        selection = SUBSET if arguments.subset else EVERYTHING
        report = workspace.run(selection, arguments.regex, tell=_say)
    _say(str(report))
    if not report.is_good:
        _say(f"Traces are in {workspace.log}")
    return 0 if report.is_good else 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
