# SPDX-License-Identifier: Apache-2.0
"""Nova's workers, each a single process: ``python -m novadocker.cloud.programs.nova_worker``.

By themselves nova-conductor and nova-scheduler fork a worker below a master, which costs
another 130 MB each; here they run the way nova-compute does.
"""

import functools
import gc
import importlib
import sys


def main() -> None:
    """Run the worker named in the first argument with the others."""
    binary, *arguments = sys.argv[1:]
    # What an import makes stays: looking through it for garbage is a sixth of its time.
    gc.disable()
    # Its first statement chooses native threads: nothing of Nova may be imported before.
    module = importlib.import_module(f"nova.cmd.{binary.removeprefix('nova-')}")
    gc.freeze()
    gc.enable()
    module.service.serve = functools.partial(module.service.serve, no_fork=True)
    sys.argv = [binary, *arguments]
    module.main()


if __name__ == "__main__":
    main()
