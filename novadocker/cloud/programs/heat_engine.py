# SPDX-License-Identifier: Apache-2.0
"""Heat's engine in a single process: ``python -m novadocker.cloud.programs.heat_engine``.

By itself it forks a worker below a master, which costs another 150 MB.
"""

import functools
import gc
import importlib
import threading


def main() -> None:
    """Run the engine with the arguments of the command line."""
    # What an import makes stays: looking through it for garbage is a sixth of its time.
    gc.disable()
    # Its first statements choose native threads: nothing of Heat may be imported before.
    engine = importlib.import_module("heat.cmd.engine")
    gc.freeze()
    gc.enable()
    engine.service.launch = functools.partial(engine.service.launch, no_fork=True)
    engine.main()
    # Its service leaves the waiting to the master; a signal ends the process from here.
    threading.Event().wait()


if __name__ == "__main__":
    main()
