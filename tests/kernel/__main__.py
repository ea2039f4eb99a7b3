# SPDX-License-Identifier: Apache-2.0
"""``./test kernel [--smoke | pytest's arguments]``: tests on Debian's stock kernel, in a guest."""

import sys
import tempfile
from pathlib import Path

from tests.kernel import suite


def main() -> int:
    """Run the tests, show the guest's output, and return its status."""
    asked = sys.argv[1:] or list(suite.WHOLE)
    tests = suite.SMOKE if asked == ["--smoke"] else asked
    with tempfile.TemporaryDirectory(prefix="nd-kernel-", dir="/var/tmp") as made:
        out = Path(made)
        status = suite.run(tests, out)
        for name in ("console", "log"):
            # The console tells why a guest did not come so far as to have a log.
            if (file := out / name).exists() and (name == "log" or status):
                sys.stdout.write(file.read_text(errors="replace"))
    return status


if __name__ == "__main__":
    sys.exit(main())
