# SPDX-License-Identifier: Apache-2.0
"""Double of the vRouter agent: ``python -m novadocker.cloud.doubles.opensdn`` until terminated.

It works in the network namespace that it is started in.
"""

import argparse
import importlib
import logging
import signal
import threading
from pathlib import Path

from novadocker.cloud.doubles.opensdn.agent import STALE_SECONDS, Agent
from novadocker.cloud.doubles.opensdn.api import serving
from novadocker.cloud.doubles.opensdn.data_plane import DataPlane

LOG = logging.getLogger("opensdn")


def main() -> None:
    """Serve."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    data_plane = _data_plane(arguments.data_plane, arguments.data_plane_config)
    agent = Agent(arguments.ports_directory, data_plane, stale_seconds=arguments.stale_seconds)
    host, _, port = arguments.listen.rpartition(":")
    with serving(agent, (host, int(port))) as server:
        LOG.info("Listening at %s", server.url)
        ended.wait()
    data_plane.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m novadocker.cloud.doubles.opensdn", description=__doc__
    )
    parser.add_argument("--listen", default="127.0.0.1:9091", metavar="HOST:PORT")
    parser.add_argument(
        "--ports-directory", type=Path, default=Path("/var/lib/contrail/ports"), metavar="PATH"
    )
    parser.add_argument("--stale-seconds", type=float, default=STALE_SECONDS, metavar="SECONDS")
    parser.add_argument(
        "--data-plane",
        default="novadocker.cloud.doubles.opensdn.data_plane:NoPackets",
        metavar="MODULE:CLASS",
        help="what carries packets",
    )
    parser.add_argument(
        "--data-plane-config", metavar="TEXT", help="is given to it; nothing is without this"
    )
    return parser.parse_args()


def _data_plane(name: str, config: str | None) -> DataPlane:
    module, _, attribute = name.partition(":")
    factory = getattr(importlib.import_module(module), attribute)
    made: DataPlane = factory() if config is None else factory(config)
    return made


if __name__ == "__main__":
    main()
