# SPDX-License-Identifier: Apache-2.0
"""What is made of Glance's answers; the calls themselves are tried in tests/cloud."""

import keystoneauth1.exceptions
import openstack.exceptions
import pytest
import requests

from novadocker.client.errors import BytesDiffer, GlanceFailed
from novadocker.client.glance import GlanceImage, _asking, expect_arrived

IMAGE = GlanceImage("0f5c", "web", "active", "private", "docker", 3, "sha512", "aa", 0, 0, {})


def answer(status: int, kind: str, text: str) -> requests.Response:
    """Return an answer as Glance gives it."""
    made = requests.Response()
    made.status_code, made.reason, made._content = status, "Some Reason", text.encode()
    made.headers["content-type"] = kind
    return made


@pytest.mark.parametrize(
    ("status", "kind", "text", "told"),
    [
        (
            403,
            "text/html",
            "<title>403 Forbidden</title>\n<h1>403 Forbidden</h1>\nYou may not.<br/>\n",
            "You may not. (HTTP 403)",
        ),
        (
            413,
            "text/plain; charset=UTF-8",
            "413 Request Entity Too Large\n\nDenying attempt: it exceeds the quota: 7 bytes\n\n ",
            "Denying attempt: it exceeds the quota: 7 bytes (HTTP 413)",
        ),
        (409, "text/plain", "409 Conflict\n\n", "Some Reason (HTTP 409)"),
        (500, "application/json", '{"message": "oops"}', "oops (HTTP 500)"),
        (503, "", "", "Some Reason (HTTP 503)"),
    ],
)
def test_a_refusal_is_told_in_glances_own_words(
    status: int, kind: str, text: str, told: str
) -> None:
    """In one line, without the page around them."""
    with pytest.raises(GlanceFailed) as failed, _asking("do it"):
        openstack.exceptions.raise_from_response(answer(status, kind, text))
    assert str(failed.value) == f"Glance failed to do it: {told}"


def test_a_lost_connection_is_told_by_what_the_system_says() -> None:
    """Not by all that three libraries say of it."""
    outer = keystoneauth1.exceptions.ConnectFailure("Unable to ...: HTTPConnectionPool(...)")
    outer.__cause__ = requests.exceptions.ConnectionError("Max retries exceeded")
    outer.__cause__.__context__ = ConnectionRefusedError(111, "Connection refused")
    with (
        pytest.raises(GlanceFailed, match=r"failed \(\[Errno 111\] Connection refused\)"),
        _asking("do it"),
    ):
        raise outer


@pytest.mark.parametrize(
    ("size", "digest", "sound"), [(3, "aa", True), (2, "aa", False), (3, "ab", False)]
)
def test_what_arrived_must_be_what_was_sent(size: int, digest: str, sound: bool) -> None:
    """By size and digest."""
    if sound:
        expect_arrived(IMAGE, size, "sha512", digest)
        return
    with pytest.raises(BytesDiffer, match="where Glance says"):
        expect_arrived(IMAGE, size, "sha512", digest)
