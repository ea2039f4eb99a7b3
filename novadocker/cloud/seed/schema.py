# SPDX-License-Identifier: Apache-2.0
"""Tables and first rows of each service, made by ``*-manage`` commands.

Run as ``python -m novadocker.cloud.seed.schema``: one command costs seconds of imports, so one
process imports once and forks for each command. The fork is needed since their
configuration object refuses to be parsed twice.
"""

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
        """What the tables are of."""
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
    glance = ("--config-file", str(layout.conf("glance") / "glance-api.conf"))
    placement = ("--config-file", str(layout.conf("placement") / "placement.conf"))
    nova = ("--config-file", str(layout.conf("nova") / "nova.conf"))
    neutron_conf = layout.conf("neutron")
    neutron = (
        "--config-file",
        str(neutron_conf / "neutron.conf"),
        "--config-file",
        str(neutron_conf / "ml2_conf.ini"),
    )
    heat = ("--config-file", str(layout.conf("heat") / "heat.conf"))
    cinder = ("--config-file", str(layout.conf("cinder") / "cinder.conf"))
    return (
        Schema(
            "nova",
            "nova",
            "nova.cmd.manage",
            nova,
            (
                ("api_db", "sync"),
                ("cell_v2", "map_cell0"),
                ("db", "sync"),
                ("cell_v2", "create_cell", "--name", "cell1"),
            ),
        ),
        Schema("neutron", "neutron", "neutron.db.migration.cli", neutron, (("upgrade", "heads"),)),
        Schema("glance", "glance", "glance.cmd.manage", glance, (("db_sync",),)),
        Schema(
            "placement",
            "openstack-placement",
            "placement.cmd.manage",
            placement,
            (("db", "sync"),),
        ),
        *(
            (Schema("heat", "openstack-heat", "heat.cmd.manage", heat, (("db_sync",),)),)
            if layout.settings.heat
            else ()
        ),
        *(
            (
                Schema(
                    "cinder",
                    "cinder",
                    "cinder.cmd.manage",
                    cinder,
                    (("db", "sync"),),
                    environment=environment.current(),
                ),
            )
            if layout.settings.cinder
            else ()
        ),
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
