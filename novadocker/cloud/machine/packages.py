# SPDX-License-Identifier: Apache-2.0
"""Debian's packages: installed for missing programs only, with no service started.

Programs are looked for, not packages: a machine with docker-ce keeps docker-ce.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from novadocker.cloud.errors import PackagesFailed
from novadocker.cloud.machine import boot_services, lock, service_policy

# Packages by a program of theirs that we run.
PROGRAMS = {
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server",
    "epmd": "erlang-base",
    "dockerd": "docker.io",
    "containerd": "docker.io",
    "runc": "docker.io",
    "ovsdb-server": "openvswitch-switch",
    "ovsdb-tool": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-appctl": "openvswitch-switch",
    "ovn-northd": "ovn-central",
    "ovn-nbctl": "ovn-central",
    "ovn-sbctl": "ovn-central",
    "ovn-controller": "ovn-host",
    "haproxy": "haproxy",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "iptables": "iptables",
    "modprobe": "kmod",
}
# And for Neutron's own agents.
OF_NEUTRON_AGENTS = {
    "dnsmasq": "dnsmasq-base",
    "conntrack": "conntrack",
    "ipset": "ipset",
    "keepalived": "keepalived",
    "radvd": "radvd",
}
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing(
    found: Callable[[str], bool] | None = None, programs: Mapping[str, str] = PROGRAMS
) -> list[str]:
    """Return the packages with an absent program."""
    found = found or _is_there
    return sorted({package for program, package in programs.items() if not found(program)})


def ensure(programs: Mapping[str, str] = PROGRAMS, *, lists: bool = False) -> list[str]:
    """Install the missing packages and return the names.

    Args:
        programs: packages by a program that each brings.
        lists: have apt's lists renewed even if nothing is missing.
    """
    # One at a time: the policy that keeps services from starting is taken away at the end.
    with lock.awaited("packages"):
        # A run that was killed left its policy, and services enabled.
        service_policy.remove_ours()
        boot_services.finish()
        packages = missing(programs=programs)
        if packages or lists:
            _install(packages)
    remaining = missing(programs=programs)
    if remaining:
        raise PackagesFailed(packages=" ".join(remaining), reason="their programs are not there")
    return packages


def _install(packages: list[str]) -> None:
    with service_policy.no_service_starts(), boot_services.kept_from_boot():
        _apt("update", "--quiet")
        if packages:
            # Rather fail than remove what somebody else has installed.
            _apt("install", "--yes", "--no-remove", "--no-install-recommends", *packages)


def _is_there(program: str) -> bool:
    # A library or a boot record is named by its path and cannot be run.
    return shutil.which(program, path=_SEARCH) is not None or Path(program).is_file()


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "--option", "DPkg::Lock::Timeout=300", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        raise PackagesFailed(packages=_names(arguments), reason=done.stderr.strip())


def _names(arguments: Iterable[str]) -> str:
    return " ".join(argument for argument in arguments if not argument.startswith("-"))
