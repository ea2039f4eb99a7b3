# SPDX-License-Identifier: Apache-2.0
"""The engine's suite on a stock kernel: which part runs, and with what."""

import sys
from collections.abc import Sequence
from pathlib import Path

from novadocker.cloud.samples.sample import CACHE
from tests.engine.virt.debian_box import BOX
from tests.kernel import guest
from tests.support import busybox, engine_release

# What a kernel decides: limits, rights, AppArmor, quotas, the switch's datapath, init systems.
# Left out is what asks the engine and files alone, and what wants a second processor or a
# network with packages.
WHOLE = (
    "tests/engine/test_own_engine.py",
    "tests/engine/virt/test_driver.py",
    "tests/engine/virt/test_lifecycle.py",
    "tests/engine/virt/rights/test_quota.py",
    "tests/engine/virt/test_recovery.py",
    "tests/engine/virt/rights/test_rights.py",
    "tests/engine/virt/rights/test_rights_inside.py",
    "tests/engine/virt/test_snapshot.py",
    "tests/engine/virt/test_usage.py",
    "tests/engine/virt/security/test_attempts.py",
    "tests/engine/virt/security/test_cis.py",
    "tests/engine/virt/security/test_disturbance.py",
    "tests/engine/wiring/test_interfaces.py",
    "tests/engine/wiring/test_repair.py",
    "tests/engine/wiring/test_wiring.py",
    "tests/engine/virt/rights/test_stock_kernel.py",
)
SMOKE = ("tests/engine/virt/rights/test_stock_kernel.py",)
PATIENCE = 2400.0
REPORT = "report.xml"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(tests: Sequence[str], out: Path) -> int:
    """Run tests in a guest, with the report of pytest in "report.xml", and return the status.

    Args:
        tests: arguments of pytest.
        out: empty folder.
    """
    # Fetched here: the guest has no network.
    engine_release.NEWEST.programs()
    busybox.program()
    BOX.prepare(CACHE)
    variables = {
        "HOME": "/root",
        "PATH": _PATH,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        engine_release.VARIABLE: engine_release.NEWEST.name,
        "NOVADOCKER_TEST_DATAPATH": "system",
    }
    python = f"{sys.prefix}/bin/python"
    options = ("-p", "no:cacheprovider", f"--junitxml=/out/{REPORT}")
    return guest.run_in_guest((python, "-m", "pytest", *options, *tests), out, PATIENCE, variables)
