# SPDX-License-Identifier: Apache-2.0
"""Services of orchestration: Heat's engine and two APIs."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import novadocker
from novadocker.cloud.config import heat
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import Command
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service, program_words

_PROGRAMS = Path(novadocker.__file__).parent / "cloud/programs"


def services(common: Common) -> Iterable[Service]:
    """Yield Heat's services; none where there is no orchestration."""
    if not common.layout.settings.heat:
        return
    layout = common.layout
    after: tuple[str, ...] = ("heat-schema", "orchestration", "rabbitmq")
    yield Service(
        Command("heat-engine", (*program_words(layout, "heat_engine"), *_config_file(layout))),
        after=after,
        ready=partial(readiness.consumer, common, "engine"),
        files=heat.files(common),
        sources=(_PROGRAMS / "heat_engine.py",),
    )
    # The gateway's address is the bridge's, on the first host.
    after += (layout.hosts[0].service("address"),) if heat.for_servers(layout) else ()
    for name, module, port in (
        ("heat-api", "heat.wsgi.api", layout.ports.heat),
        ("heat-api-cfn", "heat.wsgi.cfn", layout.ports.heat_cfn),
    ):
        words = (module, str(port), *_config_file(layout), "--tmp", str(layout.tmp))
        also = ("--also", *heat.for_servers(layout))
        yield Service(
            Command(name, (*program_words(layout, "wsgi"), *words, *also)),
            after=after,
            ready=partial(readiness.http, layout.url(port)),
            files=heat.files(common),
            sources=(_PROGRAMS / "wsgi.py",),
            port=port,
        )


def _config_file(layout: Layout) -> tuple[str, str]:
    return ("--config-file", str(layout.conf("heat") / "heat.conf"))
