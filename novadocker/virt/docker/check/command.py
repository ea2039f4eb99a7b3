# SPDX-License-Identifier: Apache-2.0
"""``novadocker-check``: readiness of this host for the driver, with a remedy for each gap.

Run it as the user that nova-compute runs as. It changes nothing. Each finding is "ok", a
"warning" with what to do, or "missing": the driver does not work without it.
"""

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import json
from collections.abc import Collection, Iterator
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
MISSING, WARNINGS = 1, 3


def findings(config_file: str) -> Iterator[Finding]:
    """Examine everything, in the order of need.

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
        # Late: Nova may not be there, and wants to be patched before its modules are imported.
        from nova import monkey_patch  # noqa: PLC0415

        monkey_patch.patch(backend="threading")
        from novadocker.virt.docker.check import configured  # noqa: PLC0415

        yield from configured.findings(config_file)


def main() -> int:
    """Print the findings.

    Returns:
        0 if nothing keeps the driver from work, 1 if something does; with ``--strict`` 3 if
        there are warnings alone. 2 is argparse's, for a call that it does not understand.
    """
    parser = argparse.ArgumentParser(prog="novadocker-check", description=__doc__)
    parser.add_argument("--config-file", default=NOVA_CONF, help="nova-compute's (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 3 where there are warnings and no more"
    )
    asked = parser.parse_args()
    found = []
    for finding in findings(asked.config_file):
        if not asked.json:
            # At once: the start of an engine or of Nova's imports may take a while, or hang.
            print(finding, flush=True)
        found.append(finding)
    if asked.json:
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    return status({each.verdict for each in found}, strict=asked.strict)


def status(verdicts: Collection[Verdict], *, strict: bool) -> int:
    """Choose the exit status.

    Args:
        verdicts: verdicts of all findings.
        strict: True lets warnings count.
    """
    if Verdict.MISSING in verdicts:
        return MISSING
    return WARNINGS if strict and Verdict.WARNING in verdicts else 0
