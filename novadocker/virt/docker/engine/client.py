# SPDX-License-Identifier: Apache-2.0
"""Client of a Docker Engine: all groups of calls together."""

from novadocker.virt.docker.engine.calls.containers import ContainerCalls
from novadocker.virt.docker.engine.calls.events import EventCalls
from novadocker.virt.docker.engine.calls.exec import ProgramCalls
from novadocker.virt.docker.engine.calls.images import ImageCalls
from novadocker.virt.docker.engine.calls.listing import ListingCalls
from novadocker.virt.docker.engine.calls.stores import StoreCalls
from novadocker.virt.docker.engine.calls.terminals import SessionCalls
from novadocker.virt.docker.engine.calls.update import ResizeCalls
from novadocker.virt.docker.engine.posture import Posture
from novadocker.virt.docker.engine.values import EngineInfo


class Engine(
    ContainerCalls,
    EventCalls,
    ImageCalls,
    ListingCalls,
    ProgramCalls,
    ResizeCalls,
    SessionCalls,
    StoreCalls,
):
    """One Docker Engine; safe to use from many threads.

    Every method raises EngineUnavailable if the engine cannot be reached, EngineReplyLost if
    it goes away in the middle, and EngineError if it refuses, beside the errors that the
    method names itself.

    Args:
        connection: address, credentials and time limits. Nothing is sent before the first call.
    """

    def info(self) -> EngineInfo:
        """Return the present versions and abilities of engine and host."""
        with self._call("describe itself"):
            return EngineInfo.parse(self._api.version(api_version=False), self._api.info())

    def posture(self) -> Posture:
        """Return the engine's present settings for security."""
        with self._call("describe itself"):
            return Posture.parse(
                self._api.version(api_version=False), self._api.info(), self._api.networks()
            )
