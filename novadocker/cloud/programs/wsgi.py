# SPDX-License-Identifier: Apache-2.0
"""Server of an OpenStack API: ``python -m novadocker.cloud.programs.wsgi``.

OpenStack leaves the choice of a server to the operator, and its applications assume a few
things about it; each is met, with its reason, below.
"""

import argparse
import gc
import importlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import waitress

from novadocker.cloud.layout.layout import LOOPBACK

_THREADS = 8
# Waitress refuses bodies over 1 GiB by default; images are larger.
_MAX_BODY = 1 << 42
# Bytes that wait for a slow client. Waitress copies all of them for every packet, and beyond a
# MiB into a file: with its default of 16 MiB most of a download's time goes there.
_UNSENT = 256 * 1024


def main() -> None:
    """Serve until told to end."""
    arguments = _parse()
    # Nova, Keystone, Neutron and Heat hand sys.argv to oslo.config; Heat looks nowhere else.
    sys.argv = [arguments.module.split(".")[0], *_config_file(arguments)]
    # Neutron elects its first worker by files named after the parent's process id: those of
    # an earlier run under the same supervisor would make it wait for itself.
    with tempfile.TemporaryDirectory(dir=arguments.tmp, ignore_cleanup_errors=True) as tmp:
        os.environ["TMPDIR"] = tempfile.tempdir = tmp
        signal.signal(signal.SIGTERM, _end)
        waitress.serve(
            _application(arguments.module),
            listen=_listen(arguments),
            threads=_THREADS,
            connection_limit=500,
            max_request_body_size=_MAX_BODY,
            outbuf_high_watermark=_UNSENT,
            clear_untrusted_proxy_headers=True,
        )
    # Threads of the application that have no end of their own would keep us here.
    os._exit(0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="where the application is")
    parser.add_argument("port", type=int)
    parser.add_argument("--also", default=[], nargs="*", help="addresses beside loopback")
    parser.add_argument("--config-file", help="the application's, where it wants to be told")
    parser.add_argument("--tmp", type=Path, required=True, help="for temporary files")
    return parser.parse_args()


def _config_file(arguments: argparse.Namespace) -> tuple[str, ...]:
    return ("--config-file", arguments.config_file) if arguments.config_file else ()


def _listen(arguments: argparse.Namespace) -> str:
    addresses = (LOOPBACK, *arguments.also)
    return " ".join(f"{address}:{arguments.port}" for address in addresses)


def _application(module: str) -> Any:
    if module.startswith("neutron."):
        _prepare_neutron()
    # What an import makes stays: looking through it for garbage is a sixth of its time.
    gc.disable()
    application = importlib.import_module(module).application
    gc.freeze()
    gc.enable()
    if module.startswith("neutron."):
        _configure_mappers()
    return application


def _prepare_neutron() -> None:
    from oslo_service import backend  # noqa: PLC0415 (only Neutron wants it, and first)

    backend.init_backend(backend.BackendType.THREADING)
    # Of servers that it does not know it assumes no worker at all.
    os.environ["ASGI_WORKERS"] = "1"


def _configure_mappers() -> None:
    from sqlalchemy import orm  # noqa: PLC0415 (as above)

    # Else the first request for ports fails on an attribute that another mapper adds.
    orm.configure_mappers()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
