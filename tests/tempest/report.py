# SPDX-License-Identifier: Apache-2.0
"""Report of a run of Tempest, read from the output."""

import re
from dataclasses import dataclass, field

_RESULT = re.compile(
    r"^\{\d+\} (?P<test>.+?) (\[[\d.]+s\] )?\.\.\. (?P<outcome>ok|FAILED|SKIPPED(: .*)?)\s*$"
)


@dataclass
class Report:
    """Tests by outcome.

    Attributes:
        passed: names of those that passed.
        failed: names of those that failed, and of classes that could not be prepared.
        skipped: names of those that Tempest left out by itself.
        exit_code: Tempest's own, which also tells of an end in the middle.
    """

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    exit_code: int = 0

    @property
    def is_good(self) -> bool:
        """Success: tests ran, and every test passed."""
        return bool(self.passed) and not self.failed and self.exit_code == 0

    def read(self, line: str) -> bool:
        """Take in a line of what Tempest prints.

        Args:
            line: the line.

        Returns:
            Whether it tells of a test's end.
        """
        found = _RESULT.match(line)
        if found:
            outcome = found["outcome"]
            into = {"ok": self.passed, "FAILED": self.failed}.get(outcome, self.skipped)
            into.append(found["test"])
        return bool(found)

    def __str__(self) -> str:
        """Name what failed, and count the rest."""
        counts = (
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped; "
            f"Tempest's exit code is {self.exit_code}"
        )
        return "\n".join([*(f"FAILED {test}" for test in self.failed), counts])
