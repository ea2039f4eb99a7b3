# SPDX-License-Identifier: Apache-2.0
"""The lists by which tests of Tempest are chosen."""

import re

import pytest

from tests.tempest.workspace import EVERYTHING, ORCHESTRATION, SKIPS, SUBSET


@pytest.mark.parametrize("path", [EVERYTHING, ORCHESTRATION, SKIPS, SUBSET])
def test_every_line_is_an_expression(path: object) -> None:
    """What Tempest could not read it would not run."""
    for line in path.read_text().splitlines():
        re.compile(line.partition("#")[0].strip())


def test_every_skip_has_its_reason() -> None:
    """A line without one is no reason."""
    lines = [line for line in SKIPS.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"\S+\s+# \S.+\S", line) for line in lines)
