# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ's configuration, and the environment for the scripts."""

from pathlib import Path

from novadocker.cloud.layout.credentials import Credentials
from novadocker.cloud.layout.layout import LOOPBACK, Layout


def data_directory(layout: Layout) -> Path:
    """Return the directory of queues and of the Erlang cookie."""
    return layout.data / "rabbitmq"


def files(layout: Layout, credentials: Credentials) -> dict[Path, str]:
    """Return RabbitMQ's files."""
    conf = layout.conf("rabbitmq")
    settings = (
        f"listeners.tcp.1 = {LOOPBACK}:{layout.ports.rabbitmq}",
        "default_user = cloud",
        f"default_pass = {credentials.messages}",
        "log.console = true",
        "log.console.level = warning",
        "log.file = false",
    )
    return {
        conf / "rabbitmq.conf": "\n".join(settings) + "\n",
        conf / "enabled_plugins": "[].\n",
        # Else its scripts source the system's rabbitmq-env.conf.
        conf / "empty.conf": "",
    }


def environment(layout: Layout) -> dict[str, str]:
    """Return the environment of a small node apart from a system's."""
    conf, data = layout.conf("rabbitmq"), data_directory(layout)
    return {
        "RABBITMQ_NODENAME": "novadocker@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(layout.ports.rabbitmq),
        "RABBITMQ_DIST_PORT": str(layout.ports.rabbitmq_nodes),
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(layout.run / "rabbitmq.pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(conf / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(conf / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": str(conf / "empty.conf"),
        # One scheduler that sleeps when it is idle: two cores are shared by everyone. Erlang's
        # own port would listen on all addresses, servers' network among them.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}"
        ),
        # Its script becomes the broker instead of being its parent: who is watched is who works.
        "RUNNING_UNDER_SYSTEMD": "1",
        **epmd_environment(layout),
        # Where the Erlang cookie is.
        "HOME": str(data),
    }


def epmd_environment(layout: Layout) -> dict[str, str]:
    """Return the variables of the port mapper."""
    return {"ERL_EPMD_ADDRESS": LOOPBACK, "ERL_EPMD_PORT": str(layout.ports.epmd)}
