# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from tests.matrix import results, table
from tests.matrix.results import Column, Module

REPORT = """<testsuites><testsuite>
<testcase classname="tests.engine.test_images" name="test_a"/>
<testcase classname="tests.engine.virt.test_console" name="test_b[x]">
  <failure message="AssertionError: 3 | 4&#10;more">trace</failure></testcase>
<testcase classname="tests.engine.virt.test_console.TestOf" name="test_c"/>
<testcase classname="tests.engine.virt.test_console" name="test_d">
  <skipped message="no quotas here"/></testcase>
<testcase classname="tests.engine.virt.test_health" name="test_e"><error message="">
  boom</error></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def column(tmp_path: Path) -> Column:
    """A column of a report with every kind of result."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    return Column("Docker 28.5.2", "2026-12-01", results.read_report(report))


def test_a_report_is_read_by_module(column: Column) -> None:
    """Each test counts once: as passed, failed with its first line, or named with its reason."""
    assert column.modules == {
        "test_images.py": Module(passed=1),
        "virt/test_console.py": Module(
            1, {"test_b[x]": "AssertionError: 3 | 4"}, {"test_d": "no quotas here"}
        ),
        "virt/test_health.py": Module(0, {"test_e": "boom"}),
    }
    assert not column.is_good


def test_a_column_without_a_test_is_not_good() -> None:
    """A run that broke off before its first test proves nothing."""
    assert not Column("Docker 1", "2026-12-01", {}).is_good
    assert Column("Docker 1", "2026-12-01", {"x.py": Module(passed=1)}).is_good


def test_columns_are_kept_from_run_to_run(tmp_path: Path, column: Column) -> None:
    """A later run of one column leaves the others as they were."""
    kept = tmp_path / "results.json"
    assert results.load(kept) == {}
    results.save({"28.5": column}, kept)
    assert results.load(kept) == {"28.5": column}


def test_no_cell_is_empty(column: Column) -> None:
    """Failures and reasons are below the table, and a module that one column lacks is named."""
    written = table.render(
        {"20.10": Column("Docker 20.10.24", "2026-12-01", {"x.py": Module(3)}), "28.5": column}
    )
    assert "| `virt/test_console.py` | not run | 1 passed, **1 failed**, 1 named |" in written
    assert "| `x.py` | 3 passed | not run |" in written
    assert "| all | 3 passed | 2 passed, **2 failed**, 1 named |" in written
    assert "- failed: `virt/test_console.py test_b[x]`: AssertionError: 3 \\| 4" in written
    assert "- named, 1 of them: no quotas here" in written
    assert "Docker 20.10.24: each test ran and passed." in written


def test_the_page_has_the_table_of_the_results() -> None:
    """What is documented is what was run last."""
    assert table.render(results.load()) in table.PAGE.read_text()


def test_a_page_keeps_what_is_around_its_table(tmp_path: Path, column: Column) -> None:
    """A run replaces the last table and nothing else."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.write({"28.5": column}, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert table.render({"28.5": column}) in text
