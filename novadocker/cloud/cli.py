# SPDX-License-Identifier: Apache-2.0
"""The command ``novadocker-cloud``."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from novadocker.cloud import down, hosts, status
from novadocker.cloud import up as rising
from novadocker.cloud.clients import environment as clients
from novadocker.cloud.dashboard import environment
from novadocker.cloud.errors import CloudError, HostUnfit
from novadocker.cloud.layout import settings
from novadocker.cloud.layout.host import HYBRID_DRIVER
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import lock
from novadocker.cloud.progress import Progress
from novadocker.cloud.supervision import dashboard, starting

_ACTS = {"start": hosts.start, "stop": hosts.stop, "kill": hosts.kill, "cut": hosts.cut}
DEFAULT_STATE = "/var/lib/novadocker-cloud"
STATE_VARIABLE = "NOVADOCKER_CLOUD_STATE"
# What a shell reports for SIGINT.
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise HostUnfit(reason="it needs root, for network devices and containers")
        return int(arguments.command(arguments))
    except CloudError as error:
        print(f"novadocker-cloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("novadocker-cloud: interrupted; what runs goes on running", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="novadocker-cloud",
        description="A whole OpenStack cloud with the Docker driver on this machine.",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(os.environ.get(STATE_VARIABLE, DEFAULT_STATE)),
        help=f"where all of it is (default: ${STATE_VARIABLE} or {DEFAULT_STATE})",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(commands)
    env = _add(commands, "env", _env, 'print variables for a shell: eval "$(novadocker-cloud env)"')
    env.add_argument("cloud", nargs="?", default="demo", choices=("demo", "admin"))
    _add(commands, "status", _status, "show each service; exit with 0 if all of them run")
    logs = _add(commands, "logs", _logs, "show the last lines of one or all logs")
    logs.add_argument("service", nargs="?")
    logs.add_argument("-n", type=int, default=20, metavar="LINES")
    _add_host(commands)
    _add(commands, "down", _down, "stop everything and keep the state")
    _add(commands, "purge", _purge, "stop everything and remove the state")
    return parser


def _add_host(commands: Any) -> None:
    text = "take one compute host away, or bring it back"
    host = _add(commands, "host", _host, text)
    host.add_argument(
        "act",
        choices=sorted(_ACTS),
        help="stop: in order; kill: as a power cut; cut: pull its cables; start: bring it back",
    )
    host.add_argument("name", metavar="NAME", help="such as docker2")


def _add_up(commands: Any) -> None:
    up = _add(commands, "up", _up, "make and start all that is missing")
    up.add_argument("--port-base", type=int, help="the first of the TCP ports")
    up.add_argument(
        "--public-network", dest="public_cidr", metavar="CIDR", help="the floating addresses"
    )
    up.add_argument(
        "--driver",
        type=_driver,
        help="the host's compute_driver; hybrid is virtual machines beside containers",
    )
    up.add_argument(
        "--network",
        choices=settings.NETWORKS,
        help=f"what joins ports (default: {settings.OVN}); contrail needs the source tree",
    )
    up.add_argument(
        "--computes",
        type=int,
        choices=settings.COMPUTES,
        help="how many compute hosts there are; kept, and never fewer than before",
    )
    names = ", ".join(settings.ADDITIONS)
    for option, verb in (("--with", "also run"), ("--without", "run no longer")):
        up.add_argument(
            option,
            dest=option.strip("-"),
            metavar="NAME[,NAME]",
            type=_additions,
            action="extend",
            default=[],
            help=f"{verb} some of: {names}; kept until it is asked for otherwise",
        )


def _add(
    commands: Any, name: str, command: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _driver(text: str) -> str:
    return HYBRID_DRIVER if text == "hybrid" else text


def _additions(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in settings.ADDITIONS:
            known = ", ".join(settings.ADDITIONS)
            raise argparse.ArgumentTypeError(f"{name!r} is none of {known}")
    return names


def _up(arguments: argparse.Namespace) -> int:
    names = ("port_base", "public_cidr", "driver", "network", "computes")
    asked = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    asked |= settings.additions(getattr(arguments, "with"), wanted=True)
    asked |= settings.additions(arguments.without, wanted=False)
    began = time.monotonic()
    state = arguments.state.resolve()
    layout = Layout(state, settings.decide(state, asked))
    if layout.settings.horizon and not environment.current().is_whole:
        print("The dashboard is installed, which takes a minute or two this first time.")
    with lock.held():
        progress = Progress(sys.stdout)
        rising.up(layout, progress, progress.look)
    print(f"The cloud is ready after {time.monotonic() - began:.1f} s. To use it as a tenant:\n")
    print(f"  {clients.evaluation(layout)}")
    print("  openstack server list\n")
    print(f"OS_CLOUD=admin is its administrator; the key pair 'demo' is {layout.demo_key}.")
    if layout.settings.horizon:
        print(
            f"The dashboard is {dashboard.url(layout)}: the same users, by their passwords there."
        )
    return 0


def _env(arguments: argparse.Namespace) -> int:
    print(clients.variables(_layout(arguments), arguments.cloud))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    rows = status.table(_layout(arguments))
    print(status.render(rows))
    return 0 if all(row.running for row in rows) else 1


def _logs(arguments: argparse.Namespace) -> int:
    layout = _layout(arguments)
    names = [arguments.service] if arguments.service else sorted(_names_of_logs(layout))
    for name in names:
        print(f"==> {layout.log_of(name)} <==\n{starting.tail(layout, name, arguments.n)}\n")
    return 0


def _names_of_logs(layout: Layout) -> list[str]:
    return [path.stem for path in layout.log.glob("*.log")]


def _host(arguments: argparse.Namespace) -> int:
    with lock.held():
        _ACTS[arguments.act](_layout(arguments), arguments.name, Progress(sys.stdout))
    return 0


def _down(arguments: argparse.Namespace) -> int:
    with lock.held():
        down.down(_layout(arguments), Progress(sys.stdout))
    return 0


def _purge(arguments: argparse.Namespace) -> int:
    with lock.held():
        down.purge(_layout(arguments), Progress(sys.stdout))
    return 0


def _layout(arguments: argparse.Namespace) -> Layout:
    state = arguments.state.resolve()
    return Layout(state, settings.load(state))
