# SPDX-License-Identifier: Apache-2.0
"""Command ``openstack`` in an environment of the clients alone.

Run with Python's options -I and -S: ``openstack.py FOLDER WORD...``, where the folder has all that
may be imported beside Python's own modules.
"""

import gc
import importlib.util
import sys


def main() -> int:
    """Run a command, or the interactive client where no word is given."""
    folder, *words = sys.argv[1:]
    sys.path.insert(0, folder)
    # Imports leave no garbage: looking for some is a sixth of a short command's time.
    gc.disable()
    if words:
        _import_when_used("cliff", "interactive")
    shell = importlib.import_module("novadocker.cloud.clients.shell")
    gc.freeze()
    gc.enable()
    sys.argv = ["openstack", *words]
    return int(shell.Shell().run(words))


def _import_when_used(package: str, name: str) -> None:
    # The interactive client brings an editor and a pager: half a second for who gives a command.
    parent = importlib.import_module(package)
    spec = importlib.util.find_spec(f"{package}.{name}")
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    # "from cliff import interactive" looks into a module that the package lacks, and so loads it.
    setattr(parent, name, module)


if __name__ == "__main__":
    sys.exit(main())
