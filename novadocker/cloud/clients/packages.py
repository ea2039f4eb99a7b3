# SPDX-License-Identifier: Apache-2.0
"""Installed distributions below the clients, apart from the services' distributions.

The environment that runs OpenStack's services has plug-ins of the client that services bring
along. Some fail to load, with a line on each command's standard error, and all cost time.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import novadocker

# Distributions by name, each with one of its extras or none.
WANTED = (("python-openstackclient", ""), ("python-heatclient", ""), ("nova-docker", "client"))
_OURS = "nova-docker"
_METADATA = (".dist-info", ".egg-info")


def closure(wanted: Iterable[tuple[str, str]] = WANTED) -> list[metadata.Distribution]:
    """Return wanted distributions with all dependencies.

    Args:
        wanted: names, each with an extra or an empty string.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting, seen = list(wanted), set()
    while waiting:
        name, extra = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if (key, extra) in seen:
            continue
        seen.add((key, extra))
        found[key] = metadata.distribution(name)
        waiting += _needs(found[key], extra)
    return list(found.values())


def links(distributions: Iterable[metadata.Distribution]) -> dict[str, Path]:
    """Return the links to import distributions from a folder: targets by name."""
    return {path.name: path for each in distributions for path in _entries(each)}


def make(folder: Path, distributions: Iterable[metadata.Distribution]) -> None:
    """Make a folder to import distributions from, with their metadata in short.

    Args:
        folder: directory that is not there yet.
        distributions: distributions of this environment.
    """
    folder.mkdir(parents=True)
    for each in distributions:
        entries = list(_entries(each))
        modules = [path for path in entries if path.suffix not in _METADATA]
        for path in modules:
            # Distributions share the packages of a namespace.
            if not (folder / path.name).is_symlink():
                (folder / path.name).symlink_to(path)
        for path in entries:
            if path.suffix in _METADATA:
                _shorten(each, [module.stem for module in modules], folder / path.name)


def _shorten(distribution: metadata.Distribution, modules: list[str], folder: Path) -> None:
    # Every command reads the metadata of every distribution, to tell the plug-in in its help:
    # with descriptions and lists of files a tenth of its time.
    folder.mkdir()
    facts = ("Metadata-Version: 2.1", f"Name: {distribution.name}")
    lines = (*facts, f"Version: {distribution.version}", "")
    (folder / "METADATA").write_text("\n".join(lines))
    (folder / "top_level.txt").write_text("\n".join(modules))
    if points := distribution.read_text("entry_points.txt"):
        (folder / "entry_points.txt").write_text(points)


def _needs(distribution: metadata.Distribution, extra: str) -> Iterator[tuple[str, str]]:
    for text in distribution.requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            yield from ((needed.name, each) for each in ("", *needed.extras))


def _entries(distribution: metadata.Distribution) -> Iterator[Path]:
    names = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    if distribution.name == _OURS:
        # Installed or run from its sources; the shim below ``nova`` is nothing for clients.
        names = {name for name in names if name.endswith(".dist-info")}
        yield Path(novadocker.__file__).parent
    yield from (Path(str(distribution.locate_file(name))).absolute() for name in names)
