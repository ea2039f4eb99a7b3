# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.virt.docker.check import options
from novadocker.virt.docker.check.findings import Finding, Verdict


def judged(**changes: Any) -> list[Finding]:
    """Judge options that differ from the defaults by some."""
    section: Any = SimpleNamespace(
        **{
            "host_url": "unix:///var/run/docker.sock",
            "api_insecure": False,
            "cert_file": None,
            "require_userns": True,
            "console_clients": ["192.0.2.0/24", "controller"],
        }
        | changes
    )
    return list(options.findings(section))


def test_the_defaults_are_well() -> None:
    """One line says so."""
    (found,) = judged()
    assert found.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"require_userns": False}, "require_userns = false"),
        ({"api_insecure": True}, "api_insecure"),
        ({"host_url": "tcp://h:2376"}, "no cert_file"),
        ({"console_clients": ["0.0.0.0/0"]}, "console_clients 0.0.0.0/0"),
        ({"console_clients": ["::/0"]}, "console_clients ::/0"),
    ],
)
def test_what_gives_up_a_line_of_defence_is_told(changes: dict[str, Any], words: str) -> None:
    """With what to do."""
    (found,) = judged(**changes)
    assert found.verdict is Verdict.WARNING
    assert words in found.words
    assert found.fix
