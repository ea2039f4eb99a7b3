# SPDX-License-Identifier: Apache-2.0
"""A cloud that exists on paper."""

from pathlib import Path

import pytest

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.credentials import Credentials
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import Settings


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The places of a cloud with two hosts and all additions; its environment holds three files."""
    for service, name in (("nova", "api"), ("heat", "api"), ("glance", "glance-api")):
        paste = tmp_path / f"venv/etc/{service}/{name}-paste.ini"
        paste.parent.mkdir(parents=True)
        paste.write_text("[composite:api]\n")
    return Layout(
        Path("/state"), Settings(fake_host=True, heat=True, horizon=True), venv=tmp_path / "venv"
    )


@pytest.fixture
def common(layout: Layout) -> Common:
    """Return layout and credentials, from which configuration is made."""
    return Common(
        layout,
        Credentials("db", "mq", "service", "admin", "demo", "meta", "stacks", "k" * 32, "s" * 32),
    )
