# SPDX-License-Identifier: Apache-2.0
"""Creation of a container by its restore: ``runtime.py DIRECTORY CHECKPOINT PATH <words of runc>``.

The words are what the engine's shim calls ``runc create`` with. The bundle, the file for the
process id and the socket for the terminal are kept, so that engine and shim see a container like
any other. Run by its path: the shim waits for it.
"""

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

ASK = Path(__file__).with_name("ask.py")
KEPT = ("--bundle", "--pid-file", "--console-socket")
# "tcp-established": connections go on. "empty-ns": the driver fills the network namespace.
HOW = ("--detach", "--no-subreaper", "--tcp-established", "--file-locks", "--empty-ns", "network")


def main() -> None:
    """Describe the restore in the bundle, and become ``runc restore``."""
    directory, checkpoint, path, *words = sys.argv[1:]
    at = words.index("create")
    kept = kept_options(words[at + 1 : -1])
    bundle = Path(kept["--bundle"]) / "config.json"
    described = with_gates(json.loads(bundle.read_text()), Path(directory))
    # Renamed into place: the shim reads the same file.
    fresh = bundle.with_suffix(".novadocker")
    fresh.write_text(json.dumps(described))
    fresh.replace(bundle)
    images = ("--image-path", checkpoint, "--work-path", f"{directory}/work")
    options = [word for pair in kept.items() for word in pair]
    os.environ["PATH"] = path
    os.execvp("runc", ["runc", *words[:at], "restore", *HOW, *images, *options, words[-1]])  # noqa: S606 # nosec B606 - the engine finds its runtime by PATH, too


def kept_options(words: list[str]) -> dict[str, str]:
    """Return the options of ``runc create`` for a restore, too.

    Args:
        words: between "create" and the container's id.
    """
    pairs = itertools.pairwise(words)
    return {option: value for option, value in pairs if option in KEPT}


def with_gates(spec: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return an OCI specification with two questions of the restore to the driver.

    Args:
        spec: content of the bundle's ``config.json``.
        directory: directory of the restore.
    """
    words = [sys.executable, "-I", "-S", str(ASK), str(directory), "wire"]
    hook = {"path": words[0], "args": words}
    hooks = {**(spec.get("hooks") or {}), "createRuntime": [hook]}
    annotations = {
        **(spec.get("annotations") or {}),
        "org.criu.config": str(directory / "criu.conf"),
    }
    return {**spec, "hooks": hooks, "annotations": annotations}


if __name__ == "__main__":
    main()
