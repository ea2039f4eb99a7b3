# SPDX-License-Identifier: Apache-2.0
"""What a run of Tempest came to, read from what it prints."""

import re
from dataclasses import dataclass, field

_RESULT = re.compile(
    r"^\{\d+\} (?P<test>.+?) \[[\d.]+s\] \.\.\. (?P<outcome>ok|FAILED|SKIPPED(: .*)?)\s*$"
)


@dataclass
class Report:
    """The tests by what became of them."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

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
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        )
        return "\n".join([*(f"FAILED {test}" for test in self.failed), counts])
