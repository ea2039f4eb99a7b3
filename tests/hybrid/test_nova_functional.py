# SPDX-License-Identifier: Apache-2.0
"""Nova's own functional tests of libvirt pass with the hybrid driver: machines lose nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The rest takes an hour: NOVADOCKER_ALL_OF_LIBVIRT=1 runs them all.
MODULES = (
    "test_uefi",
    "test_report_cpu_traits",
    "test_rescue_deleted_base",
    "test_shared_resource_provider",
    "test_evacuate",
)
ALL = "NOVADOCKER_ALL_OF_LIBVIRT"


def modules() -> list[str]:
    """Return the names of the modules to run."""
    if not os.environ.get(ALL):
        return list(MODULES)
    import nova.tests.functional.libvirt as theirs  # noqa: PLC0415 - heavy, and seldom wanted

    return sorted(path.stem for path in Path(theirs.__path__[0]).glob("test_*.py"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("module", modules())
def test_novas_tests_of_libvirt_pass_with_the_hybrid_driver(module: str) -> None:
    """No test fails that passes with Nova's own driver, and some are run."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.hybrid.nova_suite", module],
        check=False,
        cwd=ROOT,
        env={**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failed = [each for each in outcomes if each["outcome"] == "failed"]
    assert not failed, "\n\n".join(f"{each['test']}\n{each['detail']}" for each in failed)
    assert any(each["outcome"] == "ok" for each in outcomes)
