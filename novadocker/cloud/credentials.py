# SPDX-License-Identifier: Apache-2.0
"""The passwords of one cloud: made once, kept where only root reads."""

import dataclasses
import json
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """One secret for each purpose."""

    database: str
    messages: str
    service: str
    admin: str
    demo: str
    metadata: str


def load_or_make(path: Path) -> Credentials:
    """Return the kept credentials; make and keep them the first time."""
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    # Hexadecimal, so that no configuration format needs to quote them.
    made = Credentials(*(secrets.token_hex(16) for _ in dataclasses.fields(Credentials)))
    path.touch(mode=0o600)
    path.write_text(json.dumps(dataclasses.asdict(made)))
    return made
