# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all unit tests."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.saved_images import SavedImages


@pytest.fixture(scope="session")
def saved_images() -> SavedImages:
    """Return the builders."""
    return SavedImages()


@pytest.fixture
def layers(saved_images: Any) -> tuple[bytes, bytes]:
    """Return two layers."""
    return saved_images.layer(b"lower\n"), saved_images.layer(b"upper\n" * 200)


@pytest.fixture(params=["old_style", "new_style", "oci"])
def form(request: pytest.FixtureRequest, saved_images: Any) -> Callable[..., Any]:
    """Return a builder of each form in turn."""
    return getattr(saved_images, request.param)
