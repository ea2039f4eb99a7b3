# SPDX-License-Identifier: Apache-2.0
"""Page of the first hour as rows, and the files that its mistakes are about."""

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from novadocker.gate import start_gate
from tests.support.saved_images import Archive, SavedImages, encoded, sha256

_ROW = re.compile(r"^\| (?P<what>[^|]+) \| `(?P<command>.+?)` \|(?P<seen>.*)\|$")
_WORDS = re.compile(r"`([^`]+)`")
_MADE = SavedImages()


@dataclass(frozen=True)
class Row:
    """Row of a table of the page.

    Attributes:
        what: aim, or mistake.
        command: line for a shell.
        seen: texts that the command's output must hold.
    """

    what: str
    command: str
    seen: tuple[str, ...]


def rows(page: str, heading: str) -> list[Row]:
    """Return the rows below a heading of the second level.

    Args:
        page: text of the page.
        heading: heading without its marks.
    """
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = (_ROW.match(line) for line in section.splitlines())
    return [
        Row(row["what"], row["command"].replace(r"\|", "|"), tuple(_WORDS.findall(row["seen"])))
        for row in found
        if row
    ]


def write_mistakes(folder: Path) -> None:
    """Write the files of the page's mistakes."""
    layer = _layer()
    image = _MADE.old_style(layer)
    files = {
        "exported.tar": layer,
        "powershell.tar": image.tar()[:4096].decode("latin-1").encode("utf-16"),
        "two.tar": _two(layer),
        "high.tar": Archive({f"mine/{name}": each for name, each in image.members.items()}).tar(),
        "arm.tar": _MADE.old_style(layer, config=_config(layer, architecture="arm64")).tar(),
        "silent.tar": _MADE.old_style(layer, config=_config(layer, config={})).tar(),
        "brief.tar": _MADE.old_style(
            layer, config=_config(layer, config={"Cmd": ["/bin/brief"]})
        ).tar(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _config(layer: bytes, **changes: object) -> bytes:
    return _MADE.config([sha256(layer)], **changes)


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        # Static, at hand everywhere, and at its end at once where nothing is to be let through.
        program = tar.gettarinfo(start_gate.PROGRAM, "bin/brief")
        with start_gate.PROGRAM.open("rb") as content:
            tar.addfile(program, content)
        for name in ("etc/motd", "usr/share/note"):
            tar.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def _two(layer: bytes) -> bytes:
    configs = [_config(layer, created=f"200{number}-01-01T00:00:00Z") for number in range(2)]
    names = [f"{sha256(config)}.json" for config in configs]
    entries = [{"Config": name, "RepoTags": None, "Layers": ["l/layer.tar"]} for name in names]
    members = dict(zip(names, configs, strict=True))
    return Archive({**members, "l/layer.tar": layer, "manifest.json": encoded(entries)}).tar()
