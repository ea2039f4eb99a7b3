# SPDX-License-Identifier: Apache-2.0
"""Requests of each action to the engine: a new one is a cost that somebody has to want."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.engine.virt.conftest import Servers

_CONTAINER = re.compile(r"^/v[0-9.]+/containers(/nova-[0-9a-f-]+|/[0-9a-f]{64})?")


@contextmanager
def requests_of(servers: Servers) -> Iterator[list[str]]:
    """Record the requests of a block as words: method, and path below the container."""
    api = servers.engine._api
    sent: list[str] = []
    send = api.send

    def recording(request: Any, **options: Any) -> Any:
        path = request.path_url.partition("?")[0]
        sent.append(f"{request.method} {_CONTAINER.sub('', path).removeprefix('/')}")
        return send(request, **options)

    api.send = recording
    try:
        yield sent
    finally:
        api.send = send


# Most requests of each action. An inspect takes a millisecond, a look into files ten.
BUDGET = {
    "boot": 10,
    "pause": 4,
    "unpause": 4,
    "reboot": 15,
    "stop": 5,
    "start": 10,
    "delete": 6,
}


def test_actions_keep_to_their_number_of_requests(servers: Servers) -> None:
    """An action that asks the engine more often than its budget says fails here by name."""
    life, network = servers.actions.lifecycle, servers.network
    acts: dict[str, Callable[[], object]] = {
        "boot": servers.boot,
        "pause": lambda: life.pause(servers.asked.uuid, network),
        "unpause": lambda: life.unpause(servers.asked.uuid, network),
        "reboot": lambda: life.restart(servers.asked, network, 0),
        "stop": lambda: life.stop(servers.asked.uuid, network, 0),
        "start": lambda: life.start(servers.asked, network),
        "delete": lambda: life.remove(servers.asked.uuid, network),
    }
    too_many = {}
    for name, act in acts.items():
        with requests_of(servers) as sent:
            act()
        assert sent, name
        if len(sent) > BUDGET[name]:
            too_many[name] = sent
    assert too_many == {}
