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
        _import_when_used("cliff.interactive")
    shell = importlib.import_module("openstackclient.shell")
    gc.freeze()
    gc.enable()
    sys.argv = ["openstack", *words]
    return int(shell.main())


def _import_when_used(name: str) -> None:
    # The interactive client brings an editor and a pager: half a second for who gives a command.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    sys.exit(main())
