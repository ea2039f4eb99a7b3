# SPDX-License-Identifier: Apache-2.0
"""Our privileged daemon, as nova-compute running as root starts it."""

import gc
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from oslo_config import cfg

from novadocker.virt.docker.privileged import context as privileged


@contextmanager
def daemon(module: ModuleType = privileged) -> Iterator[None]:
    """Run the daemon of a context, with the capabilities of production and no others."""
    context = module.context
    helper = str(Path(sys.prefix) / "bin" / "privsep-helper")
    cfg.CONF.set_override("helper_command", helper, group=context.cfg_section)
    with _pipes_left_open(context):
        module.ready()
    yield
    with _pipes_left_open(context):
        context.stop()
    cfg.CONF.clear_override("helper_command", group=context.cfg_section)


@contextmanager
def _pipes_left_open(context: Any) -> Iterator[None]:
    # oslo.privsep leaves it to the garbage collector to close them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        for thread in threading.enumerate():
            if thread.name == "fd_logger" and not context.channel:
                thread.join(timeout=10)
        gc.collect()
