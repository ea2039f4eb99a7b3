# SPDX-License-Identifier: Apache-2.0
"""``./test matrix [column ...]``: the engine's suite on several engines, one after the other.

Each column is an engine's release, or the newest on a stock kernel. The results go into the table
of docs/compatibility.md beside those of the columns that were not asked for.
"""

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
from collections import ChainMap
from pathlib import Path

from tests.kernel import guest, suite
from tests.matrix import results, table
from tests.matrix.results import Column
from tests.support.engine_release import NEWEST, RELEASES, VARIABLE

KERNEL = "kernel"
COLUMNS = (*RELEASES, KERNEL)


def main() -> int:
    """Run the columns, write the table, and return 0 if nothing failed."""
    columns = results.load()
    asked = dict(each.partition("=")[::2] for each in _arguments().columns)
    for name in asked or COLUMNS:
        columns[name] = _column(name, asked.get(name, ""))
        # After each column, since a run may be broken off.
        results.save(columns)
        table.write(results.load())
    return 0 if all(columns[name].is_good for name in asked or COLUMNS) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test matrix")
    parser.add_argument(
        "columns",
        nargs="*",
        metavar="column",
        help=f"of {', '.join(COLUMNS)}; all without. NAME=FILE,FILE reads reports of runs before, "
        "the later for its modules in place of the earlier",
    )
    return parser.parse_args()


def _column(name: str, report: str) -> Column:
    title, day = _title(name), str(dt.datetime.now(dt.UTC).date())
    if report:
        modules = (results.read_report(Path(each)) for each in report.split(","))
        return Column(title, day, dict(ChainMap(*reversed(list(modules)))))
    with tempfile.TemporaryDirectory(prefix="nd-matrix-", dir="/var/tmp") as scratch:
        made = _run(name, Path(scratch))
        # A run that did not come to its end has no report, and is not good.
        return Column(title, day, results.read_report(made) if made.exists() else {})


def _title(name: str) -> str:
    if name == KERNEL:
        return f"Linux {guest.kernel().version}, Docker {NEWEST.version()}"
    return f"Docker {RELEASES[name].version()}"


def _run(name: str, scratch: Path) -> Path:
    report = scratch / suite.REPORT
    if name == KERNEL:
        suite.run(suite.WHOLE, scratch)
        return report
    subprocess.run(
        (sys.executable, "-m", "pytest", "tests/engine", f"--junitxml={report}"),
        check=False,
        env={**os.environ, VARIABLE: name},
    )
    return report


if __name__ == "__main__":
    sys.exit(main())
