# SPDX-License-Identifier: Apache-2.0
"""Serial line of a virtual machine, as seen by an operator of the host."""

import socket
import time
from xml.etree import ElementTree as ET  # nosec B405 - from our own libvirtd

from novadocker.cloud.demo.errors import ProofFailed
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.machine.command import run
from novadocker.cloud.underlay import libvirt

_PATIENCE = 60.0
_SOURCE = "devices/serial[@type='tcp']/source"


def ask(host: ComputeHost, server: str, command: str) -> str:
    """Type a command into a machine's shell, and return the output.

    Args:
        host: host of the machine.
        server: the server's id.
        command: a line for the machine's shell.

    Returns:
        Output of the command.

    Raises:
        ProofFailed: the shell did not answer.
    """
    # The shell puts the words together: the echo of the typed line has them apart.
    begin, end = "<answer", "answer>"
    line = f"\necho '<''answer'; {command}; echo 'answer''>'\n"
    with socket.create_connection(_place(host, server), timeout=_PATIENCE) as connection:
        connection.sendall(line.encode())
        seen, deadline = b"", time.monotonic() + _PATIENCE
        while end.encode() not in seen:
            if time.monotonic() > deadline or not (got := connection.recv(65536)):
                raise ProofFailed(
                    reason=f"the machine's shell answers {seen[-200:]!r} to {command}"
                )
            seen += got
    text = seen.decode(errors="replace").replace("\r", "")
    return text.partition(begin)[2].partition(end)[0].strip()


def _place(host: ComputeHost, server: str) -> tuple[str, int]:
    described = run("virsh", "--connect", libvirt.uri(host), "dumpxml", server)
    source = ET.fromstring(described).find(_SOURCE)  # noqa: S314  # nosec B314 - as above
    if source is None:
        raise ProofFailed(reason=f"machine {server} has no serial line")
    return source.attrib["host"], int(source.attrib["service"])
