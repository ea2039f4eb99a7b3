# SPDX-License-Identifier: Apache-2.0
"""Outcome of a call whose reply was lost: the engine is asked again until the outcome is seen.

A connection that breaks, or a time limit, says nothing of the work behind a call: the engine may
have done it, may be at it still, or may never have begun.
"""

from collections.abc import Callable
from typing import TypeVar

import tenacity
from oslo_log import log as logging

from novadocker.errors import EngineReplyLost, EngineUnavailable

LOG = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS = 60.0  # an engine that restarts is back by then
PAUSE = 0.2


def settled(act: Callable[[], T], look: Callable[[], T | None]) -> T:
    """Make a call and, where the reply is lost, look for the outcome for a limited time.

    Args:
        act: the call.
        look: returns the outcome, or None while there is none to be seen; may act again where
            the engine refuses a second time while the first goes on.

    Raises:
        EngineReplyLost: no outcome was seen in time.
    """
    try:
        return act()
    except EngineReplyLost as lost:
        return seen(look, lost)


def seen(look: Callable[[], T | None], lost: EngineReplyLost) -> T:
    """Look for the outcome of a call for a limited time.

    Args:
        look: returns the outcome, or None while there is none to be seen.
        lost: fault of the call.

    Raises:
        EngineReplyLost: no outcome was seen in time.
    """
    LOG.warning("%s: looking for the outcome", lost)
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(EngineUnavailable)
        | tenacity.retry_if_result(lambda found: found is None),
        stop=tenacity.stop_after_delay(SECONDS),
        wait=tenacity.wait_fixed(PAUSE),
    )
    try:
        found = attempts(look)
    except tenacity.RetryError as error:
        raise lost from error
    if found is None:  # never: such a result is tried again until the time is over
        raise lost
    return found
