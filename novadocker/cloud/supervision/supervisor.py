# SPDX-License-Identifier: Apache-2.0
"""Process supervisor: supervisord's configuration, and calls to supervisord."""

import shlex
import site

# Our own supervisor answers, on a socket that is root's.
import xmlrpc.client  # nosec B411
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

import tenacity
from supervisor.states import ProcessStates
from supervisor.xmlrpc import SupervisorTransport

import novadocker
from novadocker.cloud.config import ini
from novadocker.cloud.errors import CommandFailed, SupervisorGone
from novadocker.cloud.layout.layout import MEMBER, Layout
from novadocker.cloud.machine.command import run
from novadocker.cloud.supervision.service import Service

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_START_SECONDS = 10
_NO_WAITING = False


@dataclass(frozen=True)
class Process:
    """State of a service, as the supervisor knows the process."""

    name: str
    state: str
    pid: int

    @property
    def alive(self) -> bool:
        """Tell that the process runs, also just after the start."""
        return self.state in {"STARTING", "RUNNING"}


def socket(layout: Layout) -> Path:
    """Return where supervisord listens."""
    return layout.run / "supervisor.sock"


def configuration(layout: Layout, services: Iterable[Service]) -> str:
    """Return supervisord's configuration."""
    common: dict[str, ini.Section] = {
        "unix_http_server": {"file": socket(layout), "chmod": "0600"},
        "supervisord": {
            "logfile": layout.log_of("supervisord"),
            "pidfile": layout.run / "supervisord.pid",
            "childlogdir": layout.log,
            # Where a crashing program leaves its dump.
            "directory": layout.tmp,
            "user": "root",
            "umask": "022",
            "minfds": 16384,
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface"),
        },
    }
    programs = {f"program:{service.name}": _program(layout, service) for service in services}
    return ini.render(common | programs)


def environment(layout: Layout) -> dict[str, str]:
    """Return the environment of supervisord and so of every service: nothing of ours leaks in."""
    root = Path(novadocker.__file__).parent.parent
    installed = str(root) in site.getsitepackages()
    return {
        "PATH": f"{layout.venv / 'bin'}:{_SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "HOME": str(layout.data),
        "TMPDIR": str(layout.tmp),
        MEMBER: str(layout.state),
        # Else those that rename themselves write over their environment, mark and all.
        "SPT_NOENV": "1",
        # Each native thread would get its own allocator, and keep what it once used.
        "MALLOC_ARENA_MAX": "2",
        **({} if installed else {"PYTHONPATH": str(root)}),
    }


def ensure_running(layout: Layout) -> None:
    """Start supervisord with the written configuration, unless supervisord runs."""
    if is_running(layout):
        return
    socket(layout).unlink(missing_ok=True)
    program = (layout.program("python"), "-m", "novadocker.cloud.programs.supervisord")
    run(*program, "-c", str(config_file(layout)), env=environment(layout))
    _wait_until_it_answers(layout)


def config_file(layout: Layout) -> Path:
    """Return where supervisord's configuration is."""
    return layout.conf("supervisor") / "supervisord.conf"


def is_running(layout: Layout) -> bool:
    """Say whether the supervisor answers."""
    try:
        with _rpc(layout) as rpc:
            rpc.getState()
    except SupervisorGone:
        return False
    return True


def apply(layout: Layout) -> list[str]:
    """Take over a changed configuration; return the services stopped by the change."""
    with _rpc(layout) as rpc:
        ((added, changed, removed),) = rpc.reloadConfig()
        for name in (*changed, *removed):
            rpc.stopProcessGroup(name)
            rpc.removeProcessGroup(name)
        for name in (*added, *changed):
            rpc.addProcessGroup(name)
    return [*changed, *removed]


def start(layout: Layout, name: str) -> int:
    """Start a service unless it runs; return the process id, or 0 after an early end."""
    with _rpc(layout) as rpc:
        if not _process(rpc.getProcessInfo(name)).alive:
            try:
                rpc.startProcess(name, _NO_WAITING)
            except xmlrpc.client.Fault as fault:
                raise CommandFailed(command=name, reason=fault.faultString) from fault
        return _process(rpc.getProcessInfo(name)).pid


def stop(layout: Layout, name: str) -> None:
    """Stop a service and wait for the end; beyond its patience the service is killed."""
    with _rpc(layout) as rpc:
        if rpc.getProcessInfo(name)["state"] in _STOPPABLE:
            rpc.stopProcess(name)


def dismiss(layout: Layout, names: Iterable[str]) -> None:
    """Tell services to end without waiting, and start none of them again."""
    with _rpc(layout) as rpc:
        for name in names:
            if rpc.getProcessInfo(name)["state"] in _STOPPABLE:
                rpc.stopProcess(name, _NO_WAITING)


def process(layout: Layout, name: str) -> Process:
    """Return the supervised state of a service."""
    with _rpc(layout) as rpc:
        return _process(rpc.getProcessInfo(name))


def processes(layout: Layout) -> list[Process]:
    """Return the supervised state of all services."""
    with _rpc(layout) as rpc:
        return [_process(info) for info in rpc.getAllProcessInfo()]


def shut_down(layout: Layout) -> None:
    """End the supervisor and all services still running."""
    with _rpc(layout) as rpc:
        rpc.shutdown()


_STOPPABLE = {ProcessStates.STARTING, ProcessStates.RUNNING, ProcessStates.BACKOFF}


def _program(layout: Layout, service: Service) -> ini.Section:
    variables: Mapping[str, str] = {
        **service.command.env,
        "NOVADOCKER_CLOUD_FINGERPRINT": service.fingerprint,
    }
    return {
        "command": _escape(shlex.join(service.command.argv)),
        "environment": _escape(",".join(f'{key}="{value}"' for key, value in variables.items())),
        "autostart": False,
        # One that is asked to end in its own way exits with 0, and is to stay away.
        "autorestart": "unexpected" if service.farewell else True,
        # Ending sooner counts as a failed start, of which it has three more, then it is left.
        "startsecs": 3,
        "startretries": 3,
        "stopasgroup": True,
        "killasgroup": True,
        "stopwaitsecs": service.patience,
        "redirect_stderr": True,
        "stdout_logfile": layout.log_of(service.name),
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": 1,
    }


def _escape(value: str) -> str:
    # supervisord expands %(names)s.
    return value.replace("%", "%%")


def _process(info: Any) -> Process:
    values = cast("dict[str, Any]", info)
    return Process(name=values["name"], state=values["statename"], pid=values["pid"])


@contextmanager
def _rpc(layout: Layout) -> Iterator[Any]:
    url = f"unix://{socket(layout)}"
    transport = SupervisorTransport(serverurl=url)
    # The host in this URL is ignored: the transport connects to the socket.
    proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
    try:
        yield proxy.supervisor
    except (OSError, HTTPException) as error:
        raise SupervisorGone(socket=socket(layout), reason=error) from error
    finally:
        transport.close()


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(SupervisorGone),
    stop=tenacity.stop_after_delay(_START_SECONDS),
    wait=tenacity.wait_fixed(0.1),
    reraise=True,
)
def _wait_until_it_answers(layout: Layout) -> None:
    with _rpc(layout) as rpc:
        rpc.getState()
