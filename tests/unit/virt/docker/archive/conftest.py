# SPDX-License-Identifier: Apache-2.0
"""Archives in each form."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def layers(saved_images: Any) -> tuple[bytes, bytes]:
    """Return two layers."""
    return saved_images.layer(b"lower\n"), saved_images.layer(b"upper\n" * 200)


@pytest.fixture(params=["old_style", "new_style", "oci"])
def form(request: pytest.FixtureRequest, saved_images: Any) -> Callable[..., Any]:
    """Return a builder of each form in turn."""
    return getattr(saved_images, request.param)
