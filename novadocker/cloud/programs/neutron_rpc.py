# SPDX-License-Identifier: Apache-2.0
"""Answers Neutron's agents: ``python -m novadocker.cloud.programs.neutron_rpc``.

By itself neutron-rpc-server forks a worker for calls and another one for reports below a master,
which costs some 130 MB each; here they are threads of one process.
"""

import os
import signal
import threading

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from neutron import manager, server, service  # noqa: E402 (after the choice of threads)
from neutron.api import extensions  # noqa: E402
from neutron_lib.api import attributes  # noqa: E402
from neutron_lib.callbacks import events, registry, resources  # noqa: E402
from neutron_lib.plugins import directory  # noqa: E402
from sqlalchemy import orm  # noqa: E402


def main() -> None:
    """Answer until told to end."""
    server.boot_server(_serve)


def _serve() -> None:
    manager.init()
    orm.configure_mappers()
    resources_known = extensions.PluginAwareExtensionManager.get_instance()
    resources_known.extend_resources("2.0", attributes.RESOURCES)
    plugins = directory.get_plugins().values()
    workers = (
        service.RpcWorker(plugins, worker_process_count=0),
        service.RpcReportsWorker([directory.get_plugin()], worker_process_count=0),
    )
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    for worker in workers:
        worker.start()
    registry.publish(resources.PROCESS, events.AFTER_SPAWN, None)
    ended.wait()
    # Threads of the plugins that have no end of their own would keep us here.
    os._exit(0)


if __name__ == "__main__":
    main()
