# SPDX-License-Identifier: Apache-2.0
"""``./test matrix [column ...]``: the engine's suite on several engines, one after the other.

Each column is an engine's release. The results go into the table of docs/compatibility.md beside
those of the columns that were not asked for.
"""

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
from collections import ChainMap
from pathlib import Path

from tests.matrix import results, table
from tests.matrix.results import Column
from tests.support.engine_release import RELEASES, VARIABLE


def main() -> int:
    """Run the columns, write the table, and return 0 if nothing failed."""
    columns = results.load()
    asked = dict(each.partition("=")[::2] for each in _arguments().columns)
    for name in asked or RELEASES:
        columns[name] = _column(name, asked.get(name, ""))
        # After each column, since a run may be broken off.
        results.save(columns)
        table.write(results.load())
    return 0 if all(columns[name].is_good for name in asked or RELEASES) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test matrix")
    parser.add_argument(
        "columns",
        nargs="*",
        metavar="column",
        help=f"of {', '.join(RELEASES)}; all without. NAME=FILE,FILE reads reports of runs before, "
        "the later for its modules in place of the earlier",
    )
    return parser.parse_args()


def _column(name: str, report: str) -> Column:
    title, day = f"Docker {RELEASES[name].version()}", dt.datetime.now(dt.UTC).date()
    if report:
        modules = (results.read_report(Path(each)) for each in report.split(","))
        return Column(title, str(day), dict(ChainMap(*reversed(list(modules)))))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "report.xml"
        subprocess.run(
            (sys.executable, "-m", "pytest", "tests/engine", f"--junitxml={made}"),
            check=False,
            env={**os.environ, VARIABLE: name},
        )
        return Column(title, str(day), results.read_report(made))


if __name__ == "__main__":
    sys.exit(main())
