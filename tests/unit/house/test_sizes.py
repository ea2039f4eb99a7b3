# SPDX-License-Identifier: Apache-2.0
"""Sizes of folders, modules and functions."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.house.imports import PRODUCT, ROOT

MOST_FILES, MOST_LINES, LONGEST_FUNCTION = 20, 400, 50


def _sources() -> Iterator[tuple[Path, str]]:
    for folder in (PRODUCT, "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text()


def test_no_folder_has_many_files() -> None:
    """A listing is read at one glance."""
    files = Counter(path.parent for path, _ in _sources())
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


def test_no_module_is_long() -> None:
    """A module that grows beyond this has a second noun in it."""
    lines = {path: text.count("\n") for path, text in _sources()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_long() -> None:
    """A function fits on a screen, signature and docstring included."""
    functions = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, text in _sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: size for name, size in functions.items() if size > LONGEST_FUNCTION} == {}
