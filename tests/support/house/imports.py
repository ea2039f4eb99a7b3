# SPDX-License-Identifier: Apache-2.0
"""Imports of the product's modules, read from the sources without a run."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
PRODUCT = "novadocker"
DRIVER = "novadocker.virt.docker"


def modules(root: Path = ROOT) -> dict[str, Path]:
    """List the product's modules.

    Args:
        root: folder of the source tree.

    Returns:
        Files by dotted name; a package by the name of its folder.
    """
    return {_name_of(path, root): path for path in (root / PRODUCT).rglob("*.py")}


def _name_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, known: Iterable[str] = (), *, late: bool = True) -> frozenset[str]:
    """List the modules that a source imports.

    Args:
        source: text of a module.
        known: the product's modules, to tell ``from package import module`` from a class.
        late: count also imports inside functions, which a call alone runs.

    Returns:
        Dotted names.
    """
    known = frozenset(known)
    found = set()
    for node in _statements(ast.parse(source), late=late):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (full & known) | ({node.module} if full - known else set())
    return frozenset(found)


def _statements(node: ast.AST, *, late: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if late or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _statements(child, late=late)


def graph(*, late: bool = True) -> dict[str, frozenset[str]]:
    """Return the graph of imports: targets by module, within the product and beyond.

    Args:
        late: count also imports inside functions.

    Returns:
        Imported names by module.
    """
    found = modules()
    return {name: imports_of(path.read_text(), found, late=late) for name, path in found.items()}


def reached(start: str, arrows: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Follow imports to their ends, packages on the way included.

    Args:
        start: name of a module.
        arrows: imported names by module.

    Returns:
        All modules that Python loads for it.
    """
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [*arrows.get(name, ()), *_packages_of(name)]
    return frozenset(seen)


def _packages_of(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def circles(arrows: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Find modules that import each other, directly or by way of others.

    Args:
        arrows: imported names by module.

    Returns:
        Each group of such modules, in order.
    """
    own = {name: targets & arrows.keys() for name, targets in arrows.items()}
    onward = {name: _onward(name, own) for name in own}
    groups = {
        tuple(sorted(other for other in onward[name] if name in onward[other]))
        for name in own
        if name in onward[name]
    }
    return [list(group) for group in sorted(groups)]


def _onward(start: str, own: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(own[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += own[name]
    return seen


def is_below(name: str, package: str) -> bool:
    """Tell whether a module is a package or something in it.

    Args:
        name: module's dotted name.
        package: dotted name of the package.

    Returns:
        True for the package itself too.
    """
    return name == package or name.startswith(f"{package}.")
