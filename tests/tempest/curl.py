# SPDX-License-Identifier: Apache-2.0
"""Image for Heat's own tests: BusyBox, and curl for the servers' signals."""

from functools import partial
from pathlib import Path

from novadocker.cloud.samples import packaged
from novadocker.cloud.samples.sample import Sample

# A shell stays the first process, and the user data run beside it.
_START = "trap 'exit 0' TERM INT; sleep infinity & wait"

CURL = Sample(
    "curl",
    ("/bin/sh", "-c", _START),
    Path(__file__),
    partial(packaged.write, packages=("curl",), files={}),
)
