# SPDX-License-Identifier: Apache-2.0
"""The service of the dashboard: Horizon."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from novadocker.cloud.config import horizon
from novadocker.cloud.config.common import Common
from novadocker.cloud.dashboard import environment
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import Command
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service

_PROGRAM = Path(environment.__file__).with_name("serve.py")


def services(common: Common) -> Iterable[Service]:
    """Yield Horizon; nothing where there is no dashboard."""
    if not common.layout.settings.horizon:
        return
    layout, made = common.layout, environment.current()
    port = layout.ports.horizon
    words = (made.python, str(_PROGRAM), str(port), str(made.assets))
    yield Service(
        Command("horizon", words, {"PYTHONPATH": str(layout.conf("horizon"))}),
        after=("dashboard", "identity"),
        ready=partial(readiness.http, f"{url(layout)}auth/login/"),
        files=horizon.files(common, made.assets),
        sources=(_PROGRAM,),
        port=port,
    )


def url(layout: Layout) -> str:
    """Return the dashboard's address for browsers."""
    return layout.url(layout.ports.horizon, "/")
