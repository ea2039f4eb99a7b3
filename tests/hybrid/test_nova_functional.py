# SPDX-License-Identifier: Apache-2.0
"""Nova's own functional tests of libvirt pass with the hybrid driver: machines lose nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A quarter of an hour. The rest takes more than an hour: NOVADOCKER_ALL_OF_LIBVIRT=1 runs them
# all, NOVADOCKER_ALL_OF_LIBVIRT=test_vgpu,test_vtpm runs some.
MODULES = (
    "test_uefi",
    "test_report_cpu_traits",
    "test_rescue_deleted_base",
    "test_shared_resource_provider",
    "test_evacuate",
    "test_reshape",
    "test_rt_servers",
    "test_vpmem",
    "test_vif_model",
)
CHOICE = "NOVADOCKER_ALL_OF_LIBVIRT"
# Tests that pass with Nova's own driver alone, each with its reason.
DIFFERENT: dict[str, str] = {}


def modules() -> list[str]:
    """Return the names of the modules to run."""
    chosen = os.environ.get(CHOICE)
    if not chosen:
        return list(MODULES)
    if chosen != "1":
        return chosen.split(",")
    import nova.tests.functional.libvirt as theirs  # noqa: PLC0415 - heavy, and seldom wanted

    return sorted(path.stem for path in Path(theirs.__path__[0]).glob("test_*.py"))


def outcomes(*words: str) -> dict[str, tuple[str, str]]:
    """Run tests in a process of their own, and return outcome and detail of each by name."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.hybrid.nova_suite", *words],
        check=False,
        cwd=ROOT,
        env={**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["test"]: (each["outcome"], each["detail"]) for each in lines}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("module", modules())
def test_novas_tests_of_libvirt_pass_with_the_hybrid_driver(module: str) -> None:
    """A test that does not pass passes with Nova's own driver neither, in the same run."""
    hybrid = outcomes(module)
    assert any(outcome == "ok" for outcome, _ in hybrid.values())
    missed = [name for name, (outcome, _) in hybrid.items() if outcome != "ok"]
    alone = outcomes("--libvirt", *missed) if missed else {}
    lost = {
        name: hybrid[name][1] for name in missed if alone[name][0] == "ok" and name not in DIFFERENT
    }
    assert not lost, "\n\n".join(f"{name}\n{detail}" for name, detail in lost.items())
