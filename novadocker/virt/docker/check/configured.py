# SPDX-License-Identifier: Apache-2.0
"""Findings with Nova's own code, by the steps of nova-compute's start.

Nova wants to be patched before its modules are imported: ``command`` imports this one late.
"""

import contextlib
import logging
import os
import pwd
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import nova.conf
import os_vif
from nova import utils
from oslo_config import cfg
from oslo_privsep import priv_context
from oslo_utils import importutils

from novadocker.errors import BackendUnusable, DockerDriverError
from novadocker.gate import start_gate
from novadocker.virt.docker.check import access, hybrid, kernel, options, posture
from novadocker.virt.docker.check import findings as judge
from novadocker.virt.docker.check.findings import Finding, Verdict, attempt
from novadocker.virt.docker.conf import options as conf
from novadocker.virt.docker.engine import Connection, Engine, Posture, State
from novadocker.virt.docker.host import strays, suitability
from novadocker.virt.docker.host.changelogs import mended
from novadocker.virt.docker.host.disk import limits_disk
from novadocker.virt.docker.privileged import context
from novadocker.virt.docker.wiring import backends

CONF = nova.conf.CONF
_SERVERS = "novadocker.instance"  # the label of servers, of a layer above this one


def findings(config_file: str) -> Iterator[Finding]:
    """Examine nova.conf and its consequences.

    Args:
        config_file: nova-compute's.

    Yields:
        Findings; after a configuration that cannot be used, none.
    """
    logging.disable(logging.CRITICAL)  # what is logged on the way is told by the findings
    configuration = attempt("configuration", lambda: _configure(config_file))
    yield configuration
    if configuration.verdict is Verdict.MISSING:
        return
    yield attempt("import", _load_driver, "see docs/operator.md, installing")
    yield judge.start_gate(start_gate.PROGRAM)
    yield judge.instances_path(Path(CONF.instances_path))
    yield judge.socket(CONF.docker.host_url)
    yield from _engine()
    yield from _host()
    if CONF.compute_driver == hybrid.DRIVER:
        yield from hybrid.findings(CONF, _engine_of(CONF.docker))
    yield from _privileges()


def _configure(config_file: str) -> str:
    conf.register(CONF)
    CONF(["--config-file", config_file], project="nova")
    for option in conf.OPTIONS:
        CONF.docker[option.dest]  # a value of the wrong kind is noticed when it is read
    conf.refuse_unusable(CONF)
    return config_file


def _load_driver() -> str:
    os_vif.initialize()
    name = f"nova.virt.{CONF.compute_driver}"
    loaded = importutils.import_class(name)
    return f"compute_driver is {loaded.__module__}.{loaded.__name__}"


def _engine_of(section: cfg.ConfigOpts.GroupAttr) -> Engine:
    return Engine(
        Connection(
            section.host_url,
            section.timeout,
            section.ca_file,
            section.cert_file,
            section.key_file,
            section.api_insecure,
        )
    )


def _engine() -> Iterator[Finding]:
    section = CONF.docker
    engine = _engine_of(section)
    yield attempt("engine", partial(_engine_version, engine, require_userns=section.require_userns))
    with contextlib.suppress(DockerDriverError):  # which the finding before this one tells
        yield from _posture(engine.posture())
        yield judge.unseen(_unseen(engine))


def _engine_version(engine: Engine, *, require_userns: bool) -> str:
    info = suitability.check(engine, require_userns=require_userns)
    return f"version {info.components['Engine']}"


def _unseen(engine: Engine) -> list[str]:
    listed = engine.listed(_SERVERS)
    ended = {name: each for name, each in listed.items() if each.state is State.EXITED}
    return [name for name, each in ended.items() if strays.living(each.id)]


def _posture(seen: Posture) -> Iterator[Finding]:
    info = seen.info
    yield from posture.findings(
        seen,
        mended=mended(info.components),
        limits_disk=limits_disk(info),
        security_modules=kernel.security_modules(),
    )
    rings = posture.io_uring(info, kernel.value("kernel/io_uring_disabled"))
    if rings:
        yield rings
    yield access.of_this_host(info.root_directory)


def _host() -> Iterator[Finding]:
    path = CONF.docker.host_url.removeprefix("unix://")
    yield from access.socket(Path(path), pwd.getpwuid(os.geteuid()).pw_name)
    yield from kernel.findings()
    yield from options.findings(CONF.docker)


def _privileges() -> Iterator[Finding]:
    priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
    remedy = f"set {judge.PRIVSEP}, or allow '{_helper()}' in sudoers"
    yield attempt("privileges", partial(_usable, context.ready), remedy)
    yield from _backends()


def _backends() -> Iterator[Finding]:
    try:
        loaded = backends.load(conf.vrouter(CONF))
    except BackendUnusable as error:
        yield Finding("wiring backends", Verdict.MISSING, str(error))
        return
    for vif_type, backend in loaded.items():
        found = attempt(f"ports of type {vif_type}", partial(_usable, backend.warm_up))
        # Not every cloud has every kind of port.
        verdict = Verdict.OK if found.verdict is Verdict.OK else Verdict.WARNING
        yield Finding(found.item, verdict, found.words, found.fix)


def _helper() -> str:
    return str(utils.get_root_helper()).removeprefix("sudo ")


def _usable(call: Callable[[], object]) -> str:
    call()
    return "usable"
