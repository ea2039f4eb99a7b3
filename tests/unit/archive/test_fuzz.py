# SPDX-License-Identifier: Apache-2.0
"""The fuzzer, for a few seconds; NOVADOCKER_FUZZ_SECONDS makes them more, with another seed."""

import os
import re
import subprocess
import sys
from pathlib import Path

SECONDS = os.environ.get("NOVADOCKER_FUZZ_SECONDS")
ROOT = Path(__file__).resolve().parents[3]


def test_the_fuzzer_finds_nothing(tmp_path: Path) -> None:
    """All samples, and what can be made of them in the time: refused, or what was promised."""
    done = subprocess.run(
        (
            *(sys.executable, "-m", "tests.unit.archive.fuzz", str(tmp_path)),
            *(f"-max_total_time={SECONDS or 6}", f"-seed={0 if SECONDS else 1}"),
            "-max_len=65536",
            "-timeout=20",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-artifact_prefix={tmp_path}/found-",
        ),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    looked_at = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
    assert looked_at, done.stderr[-3000:]
    assert int(looked_at[1]) > 150
