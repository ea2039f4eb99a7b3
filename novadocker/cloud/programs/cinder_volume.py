# SPDX-License-Identifier: Apache-2.0
"""Runs cinder-volume in one process: ``python -m novadocker.cloud.programs.cinder_volume``.

By itself it forks a worker for each backend below a master, which costs another 150 MB. Its
configuration has one backend here, since the services of a process cannot be told apart.
"""

import importlib
import sys


def main() -> None:
    """Run the service with the arguments of the command line."""
    # Its first statements choose green threads: nothing of Cinder may be imported before.
    volume = importlib.import_module("cinder.cmd.volume")
    launchers = importlib.import_module("oslo_service.service")
    volume.service.process_launcher = lambda: launchers.ServiceLauncher(
        volume.CONF, restart_method="mutate"
    )
    sys.argv = ["cinder-volume", *sys.argv[1:]]
    volume.main()


if __name__ == "__main__":
    main()
