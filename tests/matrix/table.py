# SPDX-License-Identifier: Apache-2.0
"""Table of the matrix in the documentation: one row a module of tests, one column an engine."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.matrix.results import Column, Module
from tests.support.house.imports import ROOT

PAGE = ROOT / "docs" / "compatibility.md"
BEGIN = "<!-- The matrix: written by ./test matrix. -->"
END = "<!-- The end of the matrix. -->"


def render(columns: Mapping[str, Column]) -> str:
    """Return the table, with failures and omissions below."""
    rows = sorted({name for column in columns.values() for name in column.modules})
    lines = [
        _row("tests/engine", *(f"{each.title}, {each.day}" for each in columns.values())),
        _row(*("---" for _ in range(len(columns) + 1))),
        *(
            _row(f"`{name}`", *(_cell(each.modules.get(name)) for each in columns.values()))
            for name in rows
        ),
        _row("all", *(_cell(_sum(each)) for each in columns.values())),
    ]
    for column in columns.values():
        lines += ["", *_remarks(column)]
    return "\n".join(lines) + "\n"


def write(columns: Mapping[str, Column], page: Path = PAGE) -> None:
    """Put the table into the page, in place of the last table."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{render(columns)}\n{END}{after}")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(module: Module | None) -> str:
    if module is None:
        return "not run"
    parts = [f"{module.passed} passed"] if module.passed else []
    if module.failed:
        parts.append(f"**{len(module.failed)} failed**")
    if module.named:
        parts.append(f"{len(module.named)} named")
    return ", ".join(parts)


def _sum(column: Column) -> Module:
    modules = column.modules.items()
    return Module(
        sum(module.passed for _, module in modules),
        {f"{name} {test}": why for name, each in modules for test, why in each.failed.items()},
        {f"{name} {test}": why for name, each in modules for test, why in each.named.items()},
    )


def _remarks(column: Column) -> Iterator[str]:
    whole = _sum(column)
    if not whole.failed and not whole.named:
        yield f"{column.title}: each test ran and passed."
        return
    yield f"{column.title}:"
    yield ""
    for test, why in whole.failed.items():
        yield f"- failed: `{test}`: {_plain(why)}"
    for why, count in sorted(Counter(whole.named.values()).items()):
        yield f"- named, {count} of them: {_plain(why)}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
