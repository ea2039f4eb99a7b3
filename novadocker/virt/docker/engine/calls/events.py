# SPDX-License-Identifier: Apache-2.0
"""The engine's stream of events."""

import json
from collections.abc import Iterator

import requests.exceptions
import urllib3.exceptions

from novadocker.virt.docker.engine.connection import Caller, causes
from novadocker.virt.docker.engine.values import Event

_SECOND = 10**9  # nanoseconds


class EventCalls(Caller):
    """Calls about events."""

    def events(self, label: str, since: float) -> Iterator[Event]:
        """Follow events of containers.

        A silent stream is opened again every few minutes, from the last event on: a peer that
        vanished without a word would else be waited for without an end.

        Args:
            label: "NAME=VALUE" of the containers.
            since: seconds since the epoch; later events come first.

        Yields:
            Events without end; only an error ends them.
        """
        after = int(since * _SECOND)
        with self._call("tell events"):
            while True:
                try:
                    for event in self._stream(label, after):
                        after = event.nanoseconds + 1
                        yield event
                except requests.exceptions.ConnectionError as error:
                    if not _is_silence(error):
                        raise

    def _stream(self, label: str, after: int) -> Iterator[Event]:
        filters = json.dumps({"type": ["container"], "label": [label]})
        params = {"since": f"{after // _SECOND}.{after % _SECOND:09}", "filters": filters}
        with self._send("events", "GET", "/events", params=params, stream=True) as answer:
            for line in answer.iter_lines(chunk_size=None):
                if line:
                    yield Event.parse(json.loads(line))
        raise requests.exceptions.ConnectionError("the engine has ended its events")


def _is_silence(error: requests.exceptions.ConnectionError) -> bool:
    """Tell a stream without events, which had begun, from a lost connection."""
    return any(isinstance(each, urllib3.exceptions.ReadTimeoutError) for each in causes(error))
