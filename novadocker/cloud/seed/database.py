# SPDX-License-Identifier: Apache-2.0
"""MariaDB: data directory, our user, the services' databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql

from novadocker.cloud.config import mariadb
from novadocker.cloud.layout.credentials import Credentials
from novadocker.cloud.layout.layout import DATABASES, LOOPBACK, Layout
from novadocker.cloud.machine.command import Command, run


def command(layout: Layout) -> Command:
    """Return the server's command."""
    return Command("mariadb", ("mariadbd", f"--defaults-file={layout.conf('mariadb') / 'my.cnf'}"))


def install(layout: Layout) -> None:
    """Make the missing system tables."""
    directory = mariadb.data_directory(layout)
    if (directory / "mysql").is_dir():
        return
    run(
        "mariadb-install-db",
        "--no-defaults",
        # Its superuser is whoever is root on the machine, over the Unix socket only.
        "--auth-root-authentication-method=socket",
        "--auth-root-socket-user=root",
        "--skip-test-db",
        "--user=root",
        f"--datadir={directory}",
    )


def create(layout: Layout, credentials: Credentials) -> None:
    """Make the services' databases and the owning user; may be repeated."""
    user = "cloud@'127.0.0.1'"
    with connection(layout) as cursor:
        cursor.execute(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY %s", [credentials.database])
        for name in DATABASES:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT ALL ON {name}.* TO {user}")


def check(layout: Layout) -> None:
    """Raise unless the server answers."""
    with connection(layout) as cursor:
        cursor.execute("SELECT 1")


def host_is_mapped(layout: Layout, credentials: Credentials, host: str) -> bool:
    """Tell whether Nova's cells know a compute host, as the scheduler needs."""
    query = "SELECT 1 FROM host_mappings WHERE host = %s"
    with connection(layout, credentials, "nova_api") as cursor:
        return bool(cursor.execute(query, [host]))


@contextmanager
def connection(
    layout: Layout, credentials: Credentials | None = None, database: str | None = None
) -> Iterator[Any]:
    """Yield a cursor: the superuser's, or the services' user's on a database."""
    if credentials is None:
        account = {"user": "root", "unix_socket": str(layout.database_socket)}
    else:
        account = {"user": "cloud", "password": credentials.database, "host": LOOPBACK}
    with (
        pymysql.connect(
            **account, port=layout.ports.mariadb, database=database, connect_timeout=5
        ) as connected,
        connected.cursor() as cursor,
    ):
        yield cursor
