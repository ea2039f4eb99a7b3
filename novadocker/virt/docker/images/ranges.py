# SPDX-License-Identifier: Apache-2.0
"""Ranges of an image's bytes, read from Glance with the tenant's token.

Nova's own client reads an image as a whole or not at all. Endpoint, session, tokens and
retries are Nova's here too; follows ``GlanceClientWrapper`` in nova/image/glance.py.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import nova.conf
import requests
import tenacity
from keystoneauth1 import adapter
from keystoneauth1 import exceptions as keystone
from nova import exception, service_auth
from nova.image import glance

from novadocker.virt.nova_types import RequestContext

CONF = nova.conf.CONF

CHUNK_BYTES = 1024 * 1024
# Between two signs of life, where the operator sets none for Glance.
TIMEOUT_SECONDS = 60
_PAUSE_SECONDS = 1.0
_PARTIAL, _FORBIDDEN, _NOT_FOUND, _BUSY = 206, (401, 403), 404, (500, 502, 503, 504)
_LOST = (keystone.ConnectFailure, requests.exceptions.RequestException)


class NoRanges(Exception):
    """Refusal of ranges by Glance or its store; the caller reads the whole image then.

    Args:
        image: Glance's id of one.
        status: HTTP status of the answer.
    """

    def __init__(self, image: str, status: int) -> None:
        super().__init__(f"Glance does not serve parts of image {image} (HTTP {status})")


class _Busy(Exception):
    """Another attempt may succeed."""


class Ranges:
    """Reads parts of images; safe to use from many threads."""

    def allowed(self) -> bool:
        """Say whether images may be read in part: a signature is only of the whole."""
        options = CONF.glance
        return not (options.verify_glance_signatures or options.enable_certificate_validation)

    def read(
        self, context: RequestContext, image_id: str, offset: int, length: int
    ) -> Generator[bytes]:
        """Read a part of an image.

        Nothing is asked for before the first byte is.

        Args:
            context: request with the token for Glance.
            image_id: Glance's id.
            offset: where it begins.
            length: how many bytes; at least one.

        Yields:
            All of them.

        Raises:
            NoRanges: Glance cannot.
            nova.exception.ImageNotFound: there is none for this token.
            nova.exception.ImageNotAuthorized: this token may not read it.
            nova.exception.GlanceConnectionFailed: it cannot be reached, or breaks off.
        """
        with self._answer(context, image_id, offset, length) as answer:
            left = length
            try:
                for piece in answer.iter_content(CHUNK_BYTES):
                    left -= len(piece)
                    yield piece
            except requests.exceptions.RequestException as error:
                raise exception.GlanceConnectionFailed(server="", reason=str(error)) from error
            if left:
                raise exception.GlanceConnectionFailed(
                    server="", reason=f"{left} of {length} bytes did not come"
                )

    @contextmanager
    def _answer(
        self, context: RequestContext, image_id: str, offset: int, length: int
    ) -> Iterator[requests.Response]:
        servers = glance.get_api_servers(context)
        retry = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(1 + CONF.glance.num_retries),
            wait=tenacity.wait_fixed(_PAUSE_SECONDS),
            retry=tenacity.retry_if_exception_type((_Busy, *_LOST)),
            reraise=True,
        )
        last = offset + length - 1
        try:
            answer = retry(_get, context, next(servers), image_id, f"bytes={offset}-{last}")
        except (_Busy, *_LOST) as error:
            raise exception.GlanceConnectionFailed(server="", reason=str(error)) from error
        with answer:
            told = answer.headers.get("Content-Range", "")
            if not told.startswith(f"bytes {offset}-{last}/"):
                raise NoRanges(image=image_id, status=answer.status_code)
            yield answer


def _get(context: RequestContext, server: str, image_id: str, wanted: str) -> requests.Response:
    session = service_auth.get_service_auth_session("glance")
    client = adapter.Adapter(
        session,
        auth=service_auth.get_service_user_token_auth_plugin(context),
        endpoint_override=server,
        service_type="image",
        global_request_id=context.global_id,
    )
    answer: requests.Response = client.get(
        f"/v2/images/{image_id}/file",
        headers={"Range": wanted, "Accept-Encoding": "identity"},
        stream=True,
        raise_exc=False,
        timeout=session.timeout or TIMEOUT_SECONDS,
    )
    if answer.status_code == _PARTIAL:
        return answer
    answer.close()
    if answer.status_code in _FORBIDDEN:
        raise exception.ImageNotAuthorized(image_id=image_id)
    if answer.status_code == _NOT_FOUND:
        raise exception.ImageNotFound(image_id=image_id)
    if answer.status_code in _BUSY:
        raise _Busy(f"HTTP {answer.status_code}")
    raise NoRanges(image=image_id, status=answer.status_code)
