# SPDX-License-Identifier: Apache-2.0
"""Results of one suite on several engines and kernels, kept as JSON from run to run."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
_ROOT = "tests.engine."
_LONGEST = 160


@dataclass(frozen=True)
class Module:
    """Results of a module of tests.

    Attributes:
        passed: number of tests.
        failed: first lines of the failures by test.
        named: reasons of the tests that were left out, by test.
    """

    passed: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """Results of the whole suite on one engine and kernel.

    Attributes:
        title: heading, such as "Docker 28.5.2".
        day: day of the run, as "2026-12-01".
        modules: results by the module's path below the suite.
    """

    title: str
    day: str
    modules: Mapping[str, Module]

    @property
    def is_good(self) -> bool:
        """True without a failure, and with a test that ran."""
        modules = self.modules.values()
        return any(each.passed for each in modules) and not any(each.failed for each in modules)


def read_report(report: Path) -> dict[str, Module]:
    """Read the results by module from a report of pytest in JUnit's form."""
    modules: dict[str, Module] = {}
    # The report is one that our own pytest has just written.
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314
        name = _module(case)
        modules[name] = _with(modules.get(name, Module()), case)
    return dict(sorted(modules.items()))


def load(path: Path = RESULTS) -> dict[str, Column]:
    """Return the columns of earlier runs by name."""
    if not path.exists():
        return {}
    return {
        name: Column(
            kept["title"],
            kept["day"],
            {module: Module(**values) for module, values in kept["modules"].items()},
        )
        for name, kept in json.loads(path.read_text()).items()
    }


def save(columns: Mapping[str, Column], path: Path = RESULTS) -> None:
    """Keep columns for later runs, which may have others."""
    kept = {name: asdict(column) for name, column in sorted(columns.items())}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def _module(case: ET.Element) -> str:
    # A test outside of classes has its module's dotted name, another one more word.
    words = case.get("classname", "").removeprefix(_ROOT).split(".")
    last = next((i for i, word in enumerate(words) if word.startswith("test_")), len(words) - 1)
    return "/".join(words[: last + 1]) + ".py"


def _with(module: Module, case: ET.Element) -> Module:
    name = case.get("name", "")
    for kind in ("failure", "error"):
        if (fault := case.find(kind)) is not None:
            failed = {**module.failed, name: _first_line(fault)}
            return Module(module.passed, failed, module.named)
    if (skipped := case.find("skipped")) is not None:
        return Module(module.passed, module.failed, {**module.named, name: _first_line(skipped)})
    return Module(module.passed + 1, module.failed, module.named)


def _first_line(fault: ET.Element) -> str:
    lines: Iterable[str] = (fault.get("message") or fault.text or "").splitlines()
    return next((line.strip() for line in lines if line.strip()), "no message")[:_LONGEST]
