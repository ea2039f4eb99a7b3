# SPDX-License-Identifier: Apache-2.0
"""Program behind ``./demo``: ``python -m novadocker.cloud.demo``."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from novadocker.cloud.cli import DEFAULT_STATE, STATE_VARIABLE
from novadocker.cloud.demo.machine import Machine
from novadocker.cloud.demo.mixed import Mixed
from novadocker.cloud.demo.own_image import OwnImage
from novadocker.cloud.demo.screen import Screen
from novadocker.cloud.demo.shell import Shell
from novadocker.cloud.demo.story import Story
from novadocker.cloud.demo.tenant import Tenant
from novadocker.cloud.errors import CloudError, HostUnfit
from novadocker.cloud.machine import packages
from novadocker.cloud.samples import CACHE, DEBIAN, WEB, programs
from novadocker.cloud.samples import machine as tiny_machine
from novadocker.cloud.underlay import libvirt

_HYBRID = ("--driver", "hybrid", "--with", "heat")
_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; return 0 only if everything worked."""
    arguments = _parser().parse_args(argv)
    # Whoever asks us to end gets the machine back as it was, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Screen(sys.stdout)
    default = f"{DEFAULT_STATE}-hybrid" if arguments.hybrid else DEFAULT_STATE
    machine = Machine(Path(os.environ.get(STATE_VARIABLE, default)), screen)
    try:
        with ExitStack() as undo:
            try:
                _demonstrate(arguments, machine, screen, undo)
            except (CloudError, SDKException, ClientException, OSError) as error:
                screen.failure(error, machine.last_errors())
                return 1
    except KeyboardInterrupt:
        screen.note("Interrupted.")
        return _INTERRUPTED
    screen.note(f"All of it worked, in {screen.seconds:.0f} s.")
    if arguments.keep:
        machine.explain()
    else:
        machine.suggest()
    return 0


def _demonstrate(
    arguments: argparse.Namespace, machine: Machine, screen: Screen, undo: ExitStack
) -> None:
    if os.geteuid() != 0:
        raise HostUnfit(reason="it needs root, for network devices and containers")
    if arguments.image and not arguments.image.is_file():
        raise HostUnfit(reason=f"there is no file {arguments.image}")
    with screen.step("Debian's packages"):
        packages.ensure({**packages.PROGRAMS, **(libvirt.PROGRAMS if arguments.hybrid else {})})
        programs.ensure()
    if not machine.was_up and not arguments.keep:
        undo.callback(machine.down)
    prepare = () if arguments.image else (WEB,) if arguments.hybrid else (WEB, DEBIAN)
    wanted = ("--with", getattr(arguments, "with")) if getattr(arguments, "with") else ()
    machine.up(prepare, *(_HYBRID if arguments.hybrid else ()), *wanted)
    tenant = undo.enter_context(Tenant.connected(machine.layout))
    shell = Shell(machine.layout, screen)
    if arguments.image:
        own = OwnImage(arguments.image.resolve(), arguments.command, shell, screen, tenant)
        own.tell(keep=arguments.keep)
    elif arguments.hybrid:
        with screen.step("A container and a virtual machine, made here"):
            web, disk = WEB.saved(CACHE, machine.engine_url), tiny_machine.saved(CACHE)
        Mixed(web, disk, shell, screen, tenant).tell(keep=arguments.keep)
    else:
        _tell_of_containers(arguments, machine, screen, shell, tenant)


def _tell_of_containers(
    arguments: argparse.Namespace, machine: Machine, screen: Screen, shell: Shell, tenant: Tenant
) -> None:
    with screen.step("Two images, made here and saved by 'docker save'"):
        web, debian = (sample.saved(CACHE, machine.engine_url) for sample in (WEB, DEBIAN))
        for path in (web, debian):
            screen.show(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    Story(web, debian, shell, screen, tenant).tell(keep=arguments.keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./demo",
        description="Bring up a cloud on this machine and boot saved Docker images as servers.",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the cloud and the servers, and say how to use it"
    )
    parser.add_argument(
        "--image", type=Path, metavar="FILE.tar", help="boot this 'docker save' archive instead"
    )
    parser.add_argument(
        "--hybrid",
        action="store_true",
        help="a virtual machine and a container on one host instead, as one stack",
    )
    parser.add_argument(
        "--with", metavar="NAME[,NAME]", help="what else the cloud runs, such as horizon,heat"
    )
    parser.add_argument(
        "--command", metavar="'WORD ...'", help="what the image's server runs, with --image"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
