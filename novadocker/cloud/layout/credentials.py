# SPDX-License-Identifier: Apache-2.0
"""Passwords of a cloud: made once, readable for root alone."""

import dataclasses
import json
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """Secrets, each for a purpose."""

    database: str
    messages: str
    service: str
    admin: str
    demo: str
    metadata: str
    stacks: str
    stack_secrets: str
    dashboard: str


def load_or_make(path: Path) -> Credentials:
    """Return the kept credentials; make and keep missing credentials."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    names = [field.name for field in dataclasses.fields(Credentials)]
    # Hexadecimal, so that no configuration format needs to quote them.
    made = Credentials(**{name: kept.get(name) or secrets.token_hex(16) for name in names})
    if not kept.keys() >= set(names):
        path.touch(mode=0o600)
        path.write_text(json.dumps(dataclasses.asdict(made)))
    return made
