# SPDX-License-Identifier: Apache-2.0
"""Parts of images, as Glance may answer; a real one is asked in tests/cloud."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import requests_mock
from keystoneauth1 import noauth, session
from nova import exception, service_auth
from nova.image import glance

from novadocker.virt.docker.compute.service import CONF
from novadocker.virt.docker.images import ranges
from novadocker.virt.docker.images.ranges import NoRanges, Ranges

CONTEXT = SimpleNamespace(global_id="req-1")
URL = "http://glance.example:9292"
FILE = f"{URL}/v2/images/5f0c/file"


@pytest.fixture(autouse=True)
def _nova(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = session.Session()
    monkeypatch.setattr(service_auth, "get_service_auth_session", lambda _: made)
    monkeypatch.setattr(
        service_auth, "get_service_user_token_auth_plugin", lambda _: noauth.NoAuth()
    )
    monkeypatch.setattr(glance, "get_api_servers", lambda _: iter([URL] * 10))
    monkeypatch.setattr(ranges, "_PAUSE_SECONDS", 0.01)
    CONF.set_override("num_retries", 2, "glance")
    yield
    CONF.clear_override("num_retries", "glance")


def read(offset: int = 10, length: int = 5) -> bytes:
    """Read a part."""
    return b"".join(Ranges().read(CONTEXT, "5f0c", offset, length))


def part(content: bytes = b"abcde", told: str = "bytes 10-14/99") -> dict[str, Any]:
    """Return Glance's answer."""
    return {"status_code": 206, "content": content, "headers": {"Content-Range": told}}


def test_a_part_is_asked_for_and_given(requests_mock: requests_mock.Mocker) -> None:
    """By a range that Glance understands; the request's id goes along."""
    asked = requests_mock.get(FILE, **part())
    assert read() == b"abcde"
    assert asked.last_request.headers["Range"] == "bytes=10-14"
    assert asked.last_request.headers["X-OpenStack-Request-ID"] == "req-1"


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 200, "content": b"all of it"},
        {"status_code": 204},
        {"status_code": 400},
        {"status_code": 416},
        part(told=""),
        part(told="bytes 0-4/99"),
    ],
)
def test_a_store_that_has_no_parts_is_known_for_it(
    requests_mock: requests_mock.Mocker, answer: dict[str, Any]
) -> None:
    """None of what it answers is taken for the part."""
    requests_mock.get(FILE, **answer)
    with pytest.raises(NoRanges, match="5f0c"):
        read()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, exception.ImageNotAuthorized),
        (403, exception.ImageNotAuthorized),
        (404, exception.ImageNotFound),
    ],
)
def test_a_refusal_is_told_as_nova_tells_it(
    requests_mock: requests_mock.Mocker, status: int, expected: type[Exception]
) -> None:
    """Once: another attempt would be refused as well."""
    asked = requests_mock.get(FILE, status_code=status)
    with pytest.raises(expected):
        read()
    assert asked.call_count == 1


def test_a_glance_that_is_busy_is_asked_again(requests_mock: requests_mock.Mocker) -> None:
    """As often as the operator has it for Nova's own client."""
    requests_mock.get(FILE, [{"status_code": 503}, {"exc": requests.ConnectionError}, part()])
    assert read() == b"abcde"
    requests_mock.get(FILE, status_code=503)
    with pytest.raises(exception.GlanceConnectionFailed, match="503"):
        read()


def test_bytes_that_do_not_come_are_missed(requests_mock: requests_mock.Mocker) -> None:
    """An answer that ends early is no end of the image."""
    requests_mock.get(FILE, **part(content=b"abc"))
    with pytest.raises(exception.GlanceConnectionFailed, match="2 of 5"):
        read()


@pytest.mark.parametrize("option", ["verify_glance_signatures", "enable_certificate_validation"])
def test_signed_images_are_not_read_in_part(option: str) -> None:
    """A signature is of all bytes."""
    assert Ranges().allowed()
    CONF.set_override(option, True, "glance")
    try:
        assert not Ranges().allowed()
    finally:
        CONF.clear_override(option, "glance")
