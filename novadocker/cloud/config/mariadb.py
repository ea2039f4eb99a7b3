# SPDX-License-Identifier: Apache-2.0
"""MariaDB's configuration: small, and fast rather than safe from a power cut."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.layout.layout import LOOPBACK, Layout


def data_directory(layout: Layout) -> Path:
    """Return the directory of tables."""
    return layout.data / "mariadb"


def files(layout: Layout) -> dict[Path, str]:
    """Return MariaDB's files."""
    server: ini.Section = {
        "user": "root",
        "datadir": data_directory(layout),
        "socket": layout.database_socket,
        "pid-file": layout.run / "mariadb.pid",
        "bind-address": LOOPBACK,
        "port": layout.ports.mariadb,
        "tmpdir": layout.tmp,
        "skip-log-bin": 1,
        "skip-name-resolve": 1,
        "performance-schema": 0,
        "max-connections": 500,
        "innodb-buffer-pool-size": "48M",
        "innodb-log-buffer-size": "4M",
        "innodb-flush-log-at-trx-commit": 2,
        "key-buffer-size": "1M",
        "aria-pagecache-buffer-size": "1M",
        "table-open-cache": 400,
        "thread-cache-size": 16,
    }
    return {layout.conf("mariadb") / "my.cnf": ini.render({"mariadbd": server})}
