# SPDX-License-Identifier: Apache-2.0
"""Environment of the clients in a cloud's state: links, a command, completion in a shell."""

import hashlib
import shlex
import shutil
from pathlib import Path

from novadocker.cloud.clients import openstack, packages
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import run

_SCRIPT = """\
#!/bin/sh
exec {python} -I -S -W ignore {program} {folder} "$@"
"""


def command(layout: Layout) -> Path:
    """Return the path of the command ``openstack``."""
    return _root(layout) / "bin/openstack"


def ensure(layout: Layout) -> None:
    """Make the environment, unless made from the same distributions already."""
    distributions = packages.closure()
    key = _key(packages.links(distributions))
    stamp = _root(layout) / "key"
    if stamp.exists() and stamp.read_text() == key:
        return
    shutil.rmtree(_root(layout), ignore_errors=True)
    folder = _root(layout) / "packages"
    packages.make(folder, distributions)
    _write_command(layout, folder)
    _completion(layout).write_text(run(str(command(layout)), "complete", patience=120))
    stamp.write_text(key)


def variables(layout: Layout, cloud: str) -> str:
    """Return the lines for ``eval`` in a shell to use a cloud.

    Args:
        layout: the cloud.
        cloud: name in ``clouds.yaml``.
    """
    completion = shlex.quote(str(_completion(layout)))
    programs = shlex.quote(str(layout.venv / "bin"))
    lines = (
        f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(layout.clouds_yaml))}",
        f"export OS_CLOUD={shlex.quote(cloud)}",
        # Before the shell's own, since another ``openstack`` may be there; the launcher at the end.
        f'export PATH={shlex.quote(str(command(layout).parent))}:"$PATH":{programs}',
        f'if [ -n "${{BASH_VERSION:-}}" ] && [ -r {completion} ]; then . {completion}; fi',
    )
    return "\n".join(lines)


def evaluation(layout: Layout) -> str:
    """Return the line to type in a shell to have the variables."""
    words = [layout.program("novadocker-cloud"), "--state", str(layout.state), "env"]
    return f'eval "$({shlex.join(words)})"'


def _write_command(layout: Layout, folder: Path) -> None:
    script = command(layout)
    script.parent.mkdir()
    words = {
        "python": layout.program("python"),
        "program": openstack.__file__,
        "folder": str(folder),
    }
    quoted = {name: shlex.quote(str(word)) for name, word in words.items()}
    script.write_text(_SCRIPT.format(**quoted))
    script.chmod(0o755)


def _key(found: dict[str, Path]) -> str:
    # A distribution's version is part of the name of its folder with metadata.
    sources = (Path(module) for module in (__file__, packages.__file__))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    digest.update(repr(sorted(found.items())).encode())
    return digest.hexdigest()


def _completion(layout: Layout) -> Path:
    return _root(layout) / "openstack.bash"


def _root(layout: Layout) -> Path:
    return layout.state / "clients"
