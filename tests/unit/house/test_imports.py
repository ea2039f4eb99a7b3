# SPDX-License-Identifier: Apache-2.0
"""Import contracts: who may know whom."""

import re

import pytest

from tests.support.house.imports import (
    DRIVER,
    circles,
    graph,
    imports_of,
    is_below,
    modules,
    reached,
)

# Nova's own objects and calls end here; all else takes and gives our values.
MAY_KNOW_NOVA = (
    f"{DRIVER}.driver",
    f"{DRIVER}.discovery",
    f"{DRIVER}.compute",
    f"{DRIVER}.translation",
    # Nova's VIF and its conversion to os-vif's
    f"{DRIVER}.wiring.wire",
    f"{DRIVER}.wiring.backends.ovs",
    f"{DRIVER}.wiring.backends.vrouter",
    # Nova's client of Glance
    f"{DRIVER}.images.ranges",
    f"{DRIVER}.actions.snapshot",
    # the start of nova-compute tried, and the options of nova.conf
    f"{DRIVER}.check.command",
    f"{DRIVER}.check.configured",
    # what Nova's other services load
    "novadocker.api",
    "novadocker.scheduler",
    "novadocker.virt.hybrid",
    # a host that the launcher pretends
    "novadocker.cloud.programs.fake_host",
)
FOUNDATIONS = ("novadocker.errors", "novadocker.gate")


def test_nova_is_imported_by_its_translators_alone() -> None:
    """Everything else in the product can be used where Nova is not installed."""
    offenders = [
        name
        for name, targets in graph().items()
        if any(is_below(target, "nova") for target in targets)
        and not any(is_below(name, allowed) for allowed in MAY_KNOW_NOVA)
    ]
    assert offenders == []


@pytest.mark.parametrize("package", ["novadocker.archive", "novadocker.policy"])
def test_a_pure_package_imports_errors_and_gate_alone(package: str) -> None:
    """Driver, client and nova-api use it, each without the others."""
    allowed = (package, *FOUNDATIONS)
    offenders = {
        (name, target)
        for name, targets in graph().items()
        if is_below(name, package)
        for target in targets
        if is_below(target, "novadocker") and not any(is_below(target, each) for each in allowed)
    }
    assert offenders == set()


def test_privileged_modules_load_neither_engine_nor_nova() -> None:
    """A daemon with root's rights holds no more code than its calls take."""
    arrows = graph(late=False)
    privileged = [
        name for name in arrows if "privileged" in name.split(".") and is_below(name, DRIVER)
    ]
    forbidden = ("nova", "docker", f"{DRIVER}.engine")
    offenders = {
        (name, loaded)
        for name in privileged
        for loaded in reached(name, arrows)
        if any(is_below(loaded, each) for each in forbidden)
    }
    assert privileged
    assert offenders == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Two modules that need each other are one, or a third is missing."""
    assert circles(graph(late=False)) == []


def test_product_code_knows_no_test() -> None:
    """What is installed has no tests beside it."""
    imported = [
        name for name, targets in graph().items() if any(is_below(t, "tests") for t in targets)
    ]
    named = [
        name for name, path in modules().items() if re.search(r"\btests\.[a-z]", path.read_text())
    ]
    assert (imported, named) == ([], [])


def test_imports_are_seen_wherever_they_stand() -> None:
    """The contracts above would hold for nothing if an import could hide from them."""
    source = "import a.b\nfrom c import d, E\ndef f():\n    from nova import x\n"
    assert imports_of(source, {"c.d"}) == {"a.b", "c.d", "c", "nova"}
    assert imports_of(source, {"c.d"}, late=False) == {"a.b", "c.d", "c"}
    arrows = {"a": frozenset({"b"}), "b": frozenset({"c.d"}), "c.d": frozenset({"a"})}
    assert circles(arrows) == [["a", "b", "c.d"]]
    assert reached("b", arrows) == {"a", "b", "c", "c.d"}
