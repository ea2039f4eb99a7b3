# SPDX-License-Identifier: Apache-2.0
"""Serves Horizon and its assets from this process.

Run by the interpreter of Horizon's own environment, in which nothing else of ours is.
"""

import argparse
import os
import signal
from pathlib import Path
from types import FrameType

import waitress
from openstack_dashboard.wsgi import application
from whitenoise import WhiteNoise

_ADDRESS = "127.0.0.1"
_THREADS = 8
_FRESH_SECONDS = 600


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("assets", type=Path, help="where they have been collected")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    waitress.serve(
        WhiteNoise(application, arguments.assets, prefix="static/", max_age=_FRESH_SECONDS),
        listen=f"{_ADDRESS}:{arguments.port}",
        threads=_THREADS,
        clear_untrusted_proxy_headers=True,
    )
    # Threads that have no end of their own would keep us here.
    os._exit(0)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
