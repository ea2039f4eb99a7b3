# SPDX-License-Identifier: Apache-2.0
"""Waiting by condition."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 10.0
PAUSE = 0.02


def eventually(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait for a true value, and return the value, or the last false value."""
    deadline = time.monotonic() + patience
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return found
