# SPDX-License-Identifier: Apache-2.0
"""``novadocker-check``: whether this host is ready for our driver, and what is missing.

Run it as the user that nova-compute runs as. It changes nothing.
"""

import argparse
import importlib.metadata
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from novadocker.virt.docker.check.findings import (
    Finding,
    Verdict,
    configuration,
    nova_version,
    ovs_plugin,
    way_in,
)

NOVA_CONF = "/etc/nova/nova.conf"


def findings(config_file: str) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed.

    Args:
        config_file: nova-compute's.
    """
    plugins = {each.name for each in importlib.metadata.entry_points(group="os_vif")}
    has_nova = importlib.util.find_spec("nova") is not None
    yield nova_version(importlib.metadata.version("nova") if has_nova else None)
    yield ovs_plugin(plugins)
    read = configuration(Path(config_file))
    yield read
    if has_nova and read.verdict is Verdict.OK:
        shim = importlib.util.find_spec("nova.virt.novadocker")
        yield way_in(str(shim.origin) if shim else None, plugins)
        # What it looks at imports Nova, which may not be there.
        from novadocker.virt.docker.check import configured  # noqa: PLC0415

        yield from configured.findings(config_file)


def main() -> int:
    """Print the findings; exit 0 only if nothing is missing."""
    parser = argparse.ArgumentParser(prog="novadocker-check", description=__doc__)
    parser.add_argument("--config-file", default=NOVA_CONF, help="nova-compute's (%(default)s)")
    found = []
    for finding in findings(parser.parse_args().config_file):
        print(finding, flush=True)
        found.append(finding.verdict)
    return 1 if Verdict.MISSING in found else 0
