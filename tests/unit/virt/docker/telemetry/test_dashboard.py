# SPDX-License-Identifier: Apache-2.0
"""Dashboard for Grafana, and the operator's page, against the figures that there are."""

import json
import re
from pathlib import Path

from novadocker.virt.docker.telemetry.endpoint import EngineHealth
from novadocker.virt.docker.telemetry.figures import REGISTRY

ROOT = Path(__file__).parents[5]
NAME = re.compile(r"\bnovadocker_[a-z_]+")
SUFFIXES = ("_bucket", "_sum", "_count", "_total")


def known() -> set[str]:
    """Return the names of all figures, without the suffixes of their kinds."""
    families = [*REGISTRY.collect(), *EngineHealth(dict).collect()]
    return {family.name for family in families}


def named(text: str) -> set[str]:
    """Return the figures that a text names, without the suffixes of their kinds."""
    found = NAME.findall(text)
    return {
        next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
        for name in found
    }


def test_the_dashboard_shows_every_figure() -> None:
    """Every query names a figure that there is, and no figure is left out."""
    board = json.loads((ROOT / "examples/grafana/hosts.json").read_text())
    queries = [each["expr"] for panel in board["panels"] for each in panel["targets"]]
    assert named("\n".join(queries)) == known()


def test_the_operators_page_tells_every_figure() -> None:
    """The table names each figure, and none that is gone."""
    page = (ROOT / "docs/operator.md").read_text()
    section = page.split("## Figures and log", 1)[1].split("\n## ", 1)[0]
    assert named(section) == known()
