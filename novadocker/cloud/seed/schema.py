# SPDX-License-Identifier: Apache-2.0
"""Tables and first rows of each service, made by ``*-manage`` commands.

Run as ``python -m novadocker.cloud.seed.schema``: one command costs seconds of imports, so one
process imports once and forks for each command. The fork is needed since their
configuration object refuses to be parsed twice.
"""

import dataclasses
import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.layout.credentials import Credentials
from novadocker.cloud.layout.layout import REGION, Layout
from novadocker.cloud.storage import environment

_LAST_LINES = 15
# Nova's exit code when the cell is there already.
_CELL_EXISTS = 2


@dataclass(frozen=True)
class Schema:
    """Commands for a service's tables.

    Args:
        name: the service.
        distribution: the package whose version decides whether to run it again.
        module: where the command's ``main`` is.
        options: the arguments before each command.
        commands: the commands, in this order; each may be repeated.
        secrets: variables for its environment, kept off the command line.
        environment: the virtual environment that has it, if that is not the cloud's.
    """

    name: str
    distribution: str
    module: str
    options: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    secrets: tuple[tuple[str, str], ...] = ()
    environment: Path | None = None

    @property
    def version(self) -> str:
        """Version of the service, and so of the tables."""
        if self.environment:
            return self.environment.name
        return metadata.version(self.distribution)

    @property
    def python(self) -> str:
        """The interpreter that has it."""
        return str(self.environment / "bin/python") if self.environment else sys.executable


def keystone(layout: Layout, credentials: Credentials) -> Schema:
    """Return Keystone's schema, with the first administrator."""
    url = layout.identity_url
    owner = ("--keystone-user", "root", "--keystone-group", "root")
    urls = (f"--bootstrap-{kind}-url={url}" for kind in ("admin", "internal", "public"))
    return Schema(
        "keystone",
        "keystone",
        "keystone.cmd.manage",
        ("--config-file", str(layout.conf("keystone") / "keystone.conf")),
        (
            ("db_sync",),
            ("fernet_setup", *owner),
            ("credential_setup", *owner),
            ("bootstrap", "--bootstrap-region-id", REGION, *urls),
        ),
        (("OS_BOOTSTRAP_PASSWORD", credentials.admin),),
    )


def others(layout: Layout) -> tuple[Schema, ...]:
    """Return the other services' schemas, dependent on the database alone."""
    optional = {_heat: layout.settings.heat, _cinder: layout.settings.cinder}
    return (
        _nova(layout),
        _neutron(layout),
        _one_command(layout, "glance", "glance", "glance-api.conf", "db_sync"),
        _one_command(layout, "placement", "openstack-placement", "placement.conf", "db", "sync"),
        *(schema(layout) for schema, wanted in optional.items() if wanted),
    )


def _nova(layout: Layout) -> Schema:
    commands = (
        ("api_db", "sync"),
        ("cell_v2", "map_cell0"),
        ("db", "sync"),
        ("cell_v2", "create_cell", "--name", "cell1"),
    )
    return Schema("nova", "nova", "nova.cmd.manage", _files(layout, "nova", "nova.conf"), commands)


def _neutron(layout: Layout) -> Schema:
    options = _files(layout, "neutron", "neutron.conf", "ml2_conf.ini")
    commands = (("upgrade", "heads"),)
    return Schema("neutron", "neutron", "neutron.db.migration.cli", options, commands)


def _heat(layout: Layout) -> Schema:
    return _one_command(layout, "heat", "openstack-heat", "heat.conf", "db_sync")


def _cinder(layout: Layout) -> Schema:
    schema = _one_command(layout, "cinder", "cinder", "cinder.conf", "db", "sync")
    return dataclasses.replace(schema, environment=environment.current())


def _one_command(layout: Layout, name: str, distribution: str, file: str, *words: str) -> Schema:
    options = _files(layout, name, file)
    return Schema(name, distribution, f"{name}.cmd.manage", options, (words,))


def _files(layout: Layout, service: str, *names: str) -> tuple[str, ...]:
    return tuple(
        word for name in names for word in ("--config-file", str(layout.conf(service) / name))
    )


def ensure(layout: Layout, schema: Schema) -> None:
    """Run a service's commands, unless run for the installed version."""
    stamp = layout.data / f"schema-{schema.name}"
    if stamp.exists() and stamp.read_text() == schema.version:
        return
    log = layout.log / f"schema-{schema.name}.log"
    plan = {"module": schema.module, "options": schema.options, "commands": schema.commands}
    with log.open("wb") as out:
        done = subprocess.run(
            [schema.python, "-m", "novadocker.cloud.seed.schema", json.dumps(plan)],
            check=False,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **dict(schema.secrets)},
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
        raise CommandFailed(command=f"Making the tables of {schema.name}", reason=f"{log}:\n{tail}")
    stamp.write_text(schema.version)


def main() -> None:
    """Run the commands of the plan in the argument."""
    plan = json.loads(sys.argv[1])
    module = importlib.import_module(plan["module"])
    for command in plan["commands"]:
        sys.argv = [plan["module"], *plan["options"], *command]
        code = _in_child(module)
        if code == _CELL_EXISTS and "create_cell" in command:
            continue
        if code:
            sys.exit(f"{' '.join(command[:2])}: exit code {code}")


def _in_child(module: object) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code: object = 1
    try:
        code = module.main() or 0  # type: ignore[attr-defined]
    except SystemExit as error:
        code = error.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: the parent's exit handlers are not the child's to run.
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
