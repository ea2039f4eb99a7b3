# SPDX-License-Identifier: Apache-2.0
"""Figures of this process; safe to change from many threads.

Nothing is served before an operator asks for that; counting costs about a microsecond.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

# Apart from the client's own registry, where other parts of nova-compute have theirs.
REGISTRY = CollectorRegistry()

# Boots take a tenth of a second, or minutes where an image has to come first.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

ACTIONS = Histogram(
    "novadocker_action_seconds",
    "Time of an action on a server, by its outcome: done or failed.",
    ("action", "outcome"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
PARTS = Histogram(
    "novadocker_action_part_seconds",
    "Time of a part of an action, such as a boot's wait for its image.",
    ("action", "part"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
FAULTS = Counter(
    "novadocker_faults",
    "Failed actions on servers, by the class of the error.",
    ("action", "kind"),
    registry=REGISTRY,
)
FETCHES = Counter(
    "novadocker_image_fetches",
    "Images that were loaded into the engine: whole, or thin where layers were there.",
    ("way",),
    registry=REGISTRY,
)
READ_BYTES = Counter(
    "novadocker_image_read_bytes",
    "Bytes of loaded images that were read from Glance.",
    registry=REGISTRY,
)
SPARED_BYTES = Counter(
    "novadocker_image_spared_bytes",
    "Bytes of layers of loaded images that were neither read nor sent.",
    registry=REGISTRY,
)
REPAIRS = Counter(
    "novadocker_network_repairs",
    "Servers whose network the audit has repaired.",
    registry=REGISTRY,
)
