# SPDX-License-Identifier: Apache-2.0
"""Settings of a cloud, chosen by the owner and kept in the state directory.

It is fixed when the state is made: addresses are in the databases by then.
"""

import dataclasses
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novadocker.cloud.errors import StateRefused
from novadocker.cloud.layout.host import DOCKER_DRIVER

# Also the mark by which we know a directory for ours.
FILE_NAME = "novadocker-cloud.json"
_FIXED = ("port_base", "public_cidr", "network")
OVN, OVS, CONTRAIL = "ovn", "ovs", "contrail"
NETWORKS = (OVN, OVS, CONTRAIL)
COMPUTES = range(1, 5)
# What a cloud can have beside what it needs; each is a choice of that name.
ADDITIONS = ("cinder", "dns", "fake-host", "heat", "horizon")


@dataclass(frozen=True)
class Settings:
    """The choices.

    Args:
        port_base: the first of the TCP ports.
        public_cidr: the public network's addresses; the machine has the first.
        driver: the first host's ``compute_driver``.
        fake_host: have another host, with Nova's fake driver.
        network: kind of network: ``ovn``, ``ovs`` (Neutron's own agents), or ``contrail``
            (a double of its vRouter agent, for tests).
        heat: have orchestration.
        dns: let servers find each other by names; Nova cannot then make one whose name
            has letters beyond ASCII.
        horizon: have a dashboard.
        computes: number of compute hosts with an engine.
        cinder: have volumes.
    """

    port_base: int = 17700
    public_cidr: str = "172.24.4.0/24"
    driver: str = DOCKER_DRIVER
    fake_host: bool = False
    network: str = OVN
    heat: bool = False
    dns: bool = False
    horizon: bool = False
    computes: int = 1
    cinder: bool = False

    @property
    def public_network(self) -> ipaddress.IPv4Network:
        """The public network's addresses."""
        return ipaddress.IPv4Network(self.public_cidr)


def is_ours(state: Path) -> bool:
    """Say whether a directory is a cloud's state."""
    return (state / FILE_NAME).is_file()


def load(state: Path) -> Settings:
    """Return the settings of an existing cloud."""
    if not is_ours(state):
        raise StateRefused(path=state, reason="there is no cloud; 'up' makes one")
    return Settings(**json.loads((state / FILE_NAME).read_text()))


def decide(state: Path, asked: dict[str, Any]) -> Settings:
    """Return the settings for ``up``: kept settings, changed as asked.

    Args:
        state: the state directory, which may not exist yet.
        asked: values given by the caller, by name; those not named stay as they are.
    """
    if not is_ours(state):
        if state.is_dir() and any(state.iterdir()):
            raise StateRefused(path=state, reason="it is neither empty nor a cloud's state")
        return _checked(state, Settings(**asked))
    kept = load(state)
    for name in _FIXED:
        old = getattr(kept, name)
        if asked.get(name, old) != old:
            raise StateRefused(
                path=state, reason=f"it was made with {name} = {old}; purge it to change that"
            )
    decided = _checked(state, dataclasses.replace(kept, **asked))
    if decided.computes < kept.computes:
        # Servers, ports and records of a host would stay behind without it.
        reason = f"it has {kept.computes} compute hosts, and none of them can be taken away"
        raise StateRefused(path=state, reason=f"{reason}; purge it to have fewer")
    return decided


def _checked(state: Path, settings: Settings) -> Settings:
    if settings.computes not in COMPUTES:
        reason = f"{settings.computes} compute hosts are asked for; accepted are 1 to 4"
        raise StateRefused(path=state, reason=reason)
    if settings.computes > 1 and settings.network == CONTRAIL:
        reason = f"its network is {CONTRAIL}, of which the double works on one compute host alone"
        raise StateRefused(path=state, reason=reason)
    return settings


def additions(names: Iterable[str], *, wanted: bool) -> dict[str, bool]:
    """Return the choices for additions, wanted or not."""
    return {name.replace("-", "_"): wanted for name in names}


def store(state: Path, settings: Settings) -> None:
    """Make the state directory and keep the settings there."""
    state.mkdir(parents=True, exist_ok=True)
    # Traversable: the containers' root is an ordinary user of the host.
    state.chmod(0o711)
    text = json.dumps(dataclasses.asdict(settings), indent=2)
    (state / FILE_NAME).write_text(text + "\n")
