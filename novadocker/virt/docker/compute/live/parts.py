# SPDX-License-Identifier: Apache-2.0
"""Parts of one host that move running servers, made once."""

from dataclasses import dataclass

from oslo_config import cfg

from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.checkpoint.travel import Travel
from novadocker.virt.docker.checkpoint.trial import Trial
from novadocker.virt.docker.conf.values import MoveOptions
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.migration.live import arrival
from novadocker.virt.docker.migration.live.arrival import LiveArrivals
from novadocker.virt.docker.migration.live.departure import LiveDepartures
from novadocker.virt.docker.network.networking import Networking


@dataclass(frozen=True)
class LiveMoves:
    """Moves of running servers, to and from one host.

    Attributes:
        departures: servers that go.
        arrivals: servers that come.
        trial: whether processes can be dumped and restored here.
    """

    departures: LiveDepartures
    arrivals: LiveArrivals
    trial: Trial


def move_options(conf: cfg.ConfigOpts) -> MoveOptions:
    """Return the operator's settings for servers that come.

    Args:
        conf: configuration of nova-compute.
    """
    section = conf.docker
    return MoveOptions(str(conf.host), section.migration_address, section.migration_ports)


def live_moves(
    conf: cfg.ConfigOpts,
    runner: Runner,
    suspension: Suspension,
    images: Images,
    networking: Networking,
    checkpoints: Checkpoints,
    engine: Engine,
) -> LiveMoves:
    """Make the parts of one host.

    Args:
        conf: configuration of nova-compute.
        runner: makes and runs containers.
        suspension: refuses what cannot be checkpointed.
        images: images of Glance in the engine.
        networking: joins containers to their ports.
        checkpoints: restores processes.
        engine: Docker Engine of this host.
    """
    travel = Travel(engine, conf.docker.criu, conf.docker.checkpoint_timeout)
    host = str(conf.host)
    departures = LiveDepartures(engine, networking, runner, host, suspension, travel)
    parts = arrival.Parts(networking, checkpoints, travel)
    arrivals = LiveArrivals(engine, images, runner, move_options(conf), parts)
    trial = Trial(engine, conf.docker.criu, conf.docker.checkpoint_timeout)
    return LiveMoves(departures, arrivals, trial)
