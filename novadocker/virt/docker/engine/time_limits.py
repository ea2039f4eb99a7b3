# SPDX-License-Identifier: Apache-2.0
"""Time limits of the engine's calls, by the work behind each.

``Caller`` asks this table for all requests that it sends itself. Calls of the SDK, which are
about the engine's own records, have the limit of ``Work.MEMORY``.
"""

import enum
from collections.abc import Mapping


class Work(enum.Enum):
    """Kinds of work before the engine's answer."""

    MEMORY = "looks at its own records, or moves one container from state to state"
    FILES = "goes over all files of a container or an image"
    SILENCE = "waits for something to happen"


# Creation is not a matter of records: files of the image below a VOLUME are copied. Nor is
# removal: a writable layer is deleted file by file.
WORK: Mapping[str, Work] = {
    "attach": Work.MEMORY,
    "commit": Work.FILES,
    "create": Work.FILES,
    "events": Work.SILENCE,
    "import": Work.FILES,
    "inspect": Work.MEMORY,
    "load": Work.FILES,
    "log": Work.MEMORY,
    "put": Work.MEMORY,
    "remove": Work.FILES,
    "rename": Work.MEMORY,
    "save": Work.FILES,
    "sizes": Work.FILES,
    "stat": Work.MEMORY,
    "update": Work.MEMORY,
}
BRIEF_SECONDS = 5.0  # of background work, which has other servers to look after
SILENCE_SECONDS = 300.0  # after that a quiet stream of events is opened again
NEGOTIATION_SECONDS = 10.0  # for the version, while all other calls wait for the client
