# SPDX-License-Identifier: Apache-2.0
"""How the options of ``[docker]`` are judged that give up a line of defence. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Protocol

from novadocker.virt.docker.check.findings import Finding, Verdict

ITEM = "options"
MOST_CONSOLE_CLIENTS = 2**16


class Section(Protocol):
    """Options of ``[docker]`` that are judged."""

    host_url: str
    api_insecure: bool
    cert_file: str | None
    require_userns: bool
    console_clients: Sequence[str]


def findings(section: Section) -> Iterator[Finding]:
    """Judge the options.

    Args:
        section: group ``[docker]`` of nova.conf.

    Yields:
        A finding for each that gives up something; one if none does.
    """
    found = list(_odd(section))
    yield from found
    if not found:
        yield Finding(ITEM, Verdict.OK, "none of [docker] gives up a line of defence")


def _odd(section: Section) -> Iterator[Finding]:
    if not section.require_userns:
        words = "require_userns = false: an engine that maps no users would be accepted"
        yield Finding(ITEM, Verdict.WARNING, words, "remove it")
    if section.api_insecure:
        words = "api_insecure: whoever answers in the engine's place is obeyed and shown all"
        yield Finding(ITEM, Verdict.WARNING, words, "set ca_file and remove it")
    if section.host_url.startswith("tcp:") and not section.cert_file:
        words = "no cert_file: an engine that takes calls without one is anybody's"
        fix = "set cert_file and key_file, and tlsverify for the engine; or use its Unix socket"
        yield Finding(ITEM, Verdict.WARNING, words, fix)
    for each in section.console_clients:
        if _size(each) > MOST_CONSOLE_CLIENTS:
            words = f"console_clients {each}: nearly anybody may connect to consoles"
            yield Finding(ITEM, Verdict.WARNING, words, "list the hosts of nova-serialproxy")


def _size(network: str) -> int:
    try:
        return ipaddress.ip_network(network, strict=False).num_addresses
    except ValueError:  # a host's name
        return 1
