# SPDX-License-Identifier: Apache-2.0
"""Places shared by the driver and the programs below the engine."""

from pathlib import Path

RUNTIME_NAME = "novadocker"
RUNTIME_PROGRAM = Path(__file__).with_name("novadocker-runtime")
RUNTIME_MODULE = Path(__file__).with_name("runtime.py")
ASK_PROGRAM = Path(__file__).with_name("ask.py")
# One directory a restore, named by the container's id; the name is fixed in novadocker-runtime.
WAITING = Path("/run/novadocker/restore")
RUNTIME = "runtime"  # run instead of runc
GATE = "gate"  # CRIU's action script
SOCKET = "driver/socket"  # the driver listens here
WORK = "work"  # CRIU's log of the restore
WIRE = "wire"  # first question: the network namespace is there and empty
RESUME = "resume"  # second: every process is restored, and none has run
GO = "go"  # the answer
