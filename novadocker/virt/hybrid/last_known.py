# SPDX-License-Identifier: Apache-2.0
"""Last answer of an engine, for the time when the engine does not answer."""

from collections.abc import Callable

from oslo_log import log as logging

from novadocker.errors import DockerDriverError

LOG = logging.getLogger(__name__)


class LastKnown:
    """Size that an engine reports, kept while the engine is away.

    Args:
        ask: question to the engine; None is an answer too.
    """

    def __init__(self, ask: Callable[[], int | None]) -> None:
        self._ask = ask
        self._answer: int | None = None

    def value(self) -> int | None:
        """Return the answer of now, else the last one."""
        try:
            self._answer = self._ask()
        except DockerDriverError as error:
            LOG.warning("The last answer counts while the engine does not answer: %s", error)
        return self._answer
