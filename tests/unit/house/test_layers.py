# SPDX-License-Identifier: Apache-2.0
"""Layers of the driver: a folder imports only folders below its own."""

from tests.support.house.imports import DRIVER, graph, is_below

# From the foundation upwards. Folders of one layer do not import each other.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"privileged", "conf", "engine", "telemetry"}),
    frozenset({"console", "host", "wiring"}),
    frozenset({"container", "check"}),
    frozenset({"images", "injection", "network", "volumes", "checkpoint", "files"}),
    frozenset({"actions"}),
    frozenset({"migration", "translation"}),
    frozenset({"compute"}),
    frozenset({"driver", "discovery"}),
)
MOST_LAYERS = 8


def _place(module: str) -> str:
    """Name the folder of a module of the driver; the package itself stands for the driver."""
    return module.removeprefix(DRIVER).lstrip(".").partition(".")[0] or "driver"


def _level(folder: str) -> int:
    return next(level for level, folders in enumerate(LAYERS) if folder in folders)


def _arrows() -> set[tuple[str, str]]:
    return {
        (_place(name), _place(target))
        for name, targets in graph().items()
        if is_below(name, DRIVER)
        for target in targets
        if is_below(target, DRIVER)
    }


def test_every_folder_has_its_layer() -> None:
    """A new folder is given a place before anything imports it."""
    known = frozenset().union(*LAYERS)
    assert {place for arrow in _arrows() for place in arrow} <= known
    assert len(LAYERS) <= MOST_LAYERS


def test_a_folder_imports_only_folders_below() -> None:
    """No import leads upwards, or to a folder of the same layer."""
    upwards = {
        (source, target)
        for source, target in _arrows()
        if source != target and _level(source) <= _level(target)
    }
    assert upwards == set()
