# SPDX-License-Identifier: Apache-2.0
"""Services of volumes: Cinder's API, its scheduler, and one for each backend."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import novadocker
from novadocker.cloud.config import cinder
from novadocker.cloud.config.common import Common
from novadocker.cloud.machine.command import Command
from novadocker.cloud.storage import environment
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service

_CLOUD = Path(novadocker.__file__).parent / "cloud"


def services(common: Common) -> Iterable[Service]:
    """Return them; none where there are no volumes."""
    if not common.layout.settings.cinder:
        return
    layout = common.layout
    files = cinder.files(common)
    option = ("--config-file", str(layout.conf("cinder") / "cinder.conf"))
    after = ("cinder-schema", "identity", "rabbitmq")
    port = layout.ports.cinder
    program = (environment.program("python"), "-m")
    served = ("cinder.wsgi.api", str(port), *option, "--tmp", str(layout.tmp))
    yield Service(
        Command("cinder-api", (*program, "novadocker.cloud.programs.wsgi", *served)),
        after=after,
        ready=lambda: readiness.http(layout.url(port)),
        files=files,
        sources=(_CLOUD / "programs/wsgi.py",),
        port=port,
    )
    yield Service(
        Command("cinder-scheduler", (environment.program("cinder-scheduler"), *option)),
        after=after,
        ready=lambda: readiness.consumer(common, "cinder-scheduler"),
        files=files,
    )
    for backend in cinder.BACKENDS:
        alone = ("--config-file", str(cinder.backend_file(layout, backend)))
        started = (*program, "novadocker.cloud.programs.cinder_volume", *option, *alone)
        yield Service(
            Command(f"cinder-volume-{backend}", started),
            # Its driver reports to a scheduler; what is reported before there is one, is lost.
            after=(*after, "share", "glance", "cinder-scheduler"),
            ready=partial(readiness.consumer, common, f"cinder-volume.control@{backend}"),
            files=files,
            sources=(
                _CLOUD / "programs/cinder_volume.py",
                *sorted(Path(environment.__file__).parent.glob("*.py")),
            ),
        )
