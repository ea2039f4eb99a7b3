# SPDX-License-Identifier: Apache-2.0
"""Server of Horizon and the assets in one process.

Run by the interpreter of Horizon's own environment, in which nothing else of ours is.
"""

import argparse
import os
import re
import signal
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import waitress
from openstack_dashboard.wsgi import application
from whitenoise import WhiteNoise

_ADDRESS = "127.0.0.1"
_THREADS = 8
_FRESH_SECONDS = 600
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("assets", type=Path, help="where they have been collected")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    # Horizon turns on what its libraries say of their next versions: hundreds of lines a login.
    warnings.simplefilter("ignore", DeprecationWarning)
    waitress.serve(
        _merging_slashes(
            WhiteNoise(application, arguments.assets, prefix="static/", max_age=_FRESH_SECONDS)
        ),
        listen=f"{_ADDRESS}:{arguments.port}",
        threads=_THREADS,
        clear_untrusted_proxy_headers=True,
    )
    # Threads that have no end of their own would keep us here.
    os._exit(0)


def _merging_slashes(served: _Application) -> _Application:
    # Some of its pages ask for "images//actions/…", and lack a button if they do not get it.
    def merged(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["PATH_INFO"] = re.sub("/{2,}", "/", environ["PATH_INFO"])
        return served(environ, start)

    return merged


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
