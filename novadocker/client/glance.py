# SPDX-License-Identifier: Apache-2.0
"""Glance in the tenant's view: the only file of the package with knowledge of the SDK."""

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, Self

import keystoneauth1.exceptions
import openstack.exceptions
import requests.exceptions
import urllib3.exceptions
from openstack.image.v2.image import Image

from novadocker.client.errors import (
    BytesDiffer,
    GlanceFailed,
    ImageNotFound,
    NameAmbiguous,
    NoParts,
    NotAContainerImage,
    innermost,
)

LOG = logging.getLogger(__name__)

CONTAINER_FORMAT = "docker"

_CHUNK = 1024 * 1024
_LOST = (
    keystoneauth1.exceptions.ClientException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


@dataclass(frozen=True)
class GlanceImage:
    """An image as Glance describes it.

    Attributes:
        id: UUID in Glance.
        name: display name; another image may have the same.
        status: "active", once its bytes are there.
        visibility: "private" and so on.
        container_format: "docker", if it is for us.
        size: bytes, 0 while there are none.
        hash_algo: algorithm of ``hash_value``.
        hash_value: digest of its bytes.
        min_disk: GiB that a server's root disk must have.
        min_ram: MiB that a server must have.
        properties: all others.
    """

    id: str
    name: str
    status: str
    visibility: str
    container_format: str
    size: int
    hash_algo: str
    hash_value: str
    min_disk: int
    min_ram: int
    properties: Mapping[str, str]

    @classmethod
    def parse(cls, answer: Any) -> Self:
        """Read the SDK's object.

        Args:
            answer: an ``Image``.
        """
        fields = answer.to_dict(ignore_none=True, original_names=True)
        known = {**fields.get("properties", {}), **fields}
        return cls(
            id=str(known["id"]),
            name=str(known.get("name", "")),
            status=str(known.get("status", "")),
            visibility=str(known.get("visibility", "")),
            container_format=str(known.get("container_format", "")),
            size=int(known.get("size", 0)),
            hash_algo=str(known.get("os_hash_algo", "")),
            hash_value=str(known.get("os_hash_value", "")),
            min_disk=int(known.get("min_disk", 0)),
            min_ram=int(known.get("min_ram", 0)),
            properties={name: str(value) for name, value in known.items()},
        )


class Glance:
    """Calls to Glance; each raises GlanceFailed where it is refused or broken off.

    Args:
        proxy: the SDK's image proxy.
    """

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy

    def find(self, image: str) -> GlanceImage:
        """Find a container image with bytes.

        Args:
            image: name or ID.

        Raises:
            ImageNotFound: there is none.
            NameAmbiguous: there are several.
            NotAContainerImage: it is a VM's, or not uploaded.
        """
        with _asking(f"find image {image}"):
            try:
                answer = self._proxy.find_image(image, ignore_missing=False)
            except openstack.exceptions.NotFoundException as error:
                raise ImageNotFound(image=image) from error
            except openstack.exceptions.DuplicateResource as error:
                raise NameAmbiguous(image=image) from error
        found = GlanceImage.parse(answer)
        if found.container_format != CONTAINER_FORMAT:
            reason = f"its container format is {found.container_format or 'not set'}, not docker"
            raise NotAContainerImage(image=image, reason=reason)
        if found.status != "active":
            raise NotAContainerImage(image=image, reason=f"it is {found.status}, not active")
        return found

    def container_images(self) -> list[GlanceImage]:
        """Return all container images that the user sees in lists."""
        with _asking("list images"):
            listed = self._proxy.images(container_format=CONTAINER_FORMAT)
            return [GlanceImage.parse(answer) for answer in listed]

    @contextlib.contextmanager
    def making(self, attributes: Mapping[str, Any]) -> Iterator[str]:
        """Make an image without bytes, and take it away again unless all goes well.

        Args:
            attributes: fields of the new image, by name.

        Yields:
            Its ID.
        """
        with _asking("make an image"):
            made = Image.new(**attributes).create(self._proxy)
        try:
            yield str(made.id)
        except BaseException:
            self._take_away(str(made.id))
            raise

    def upload(self, image: str, chunks: Iterable[bytes], size: int | None = None) -> None:
        """Upload an image's bytes.

        Args:
            image: ID.
            chunks: the bytes; what they raise passes through.
            size: number of all bytes, if known.
        """
        with _asking(f"take the bytes of image {image}"):
            answer = Image.existing(id=image).upload(self._proxy, data=iter(chunks), size=size)
            openstack.exceptions.raise_from_response(answer)

    def update(self, image: str, attributes: Mapping[str, Any]) -> None:
        """Set attributes of an image.

        Args:
            image: ID.
            attributes: new values by name.
        """
        with _asking(f"set the properties of image {image}"):
            found = self._proxy.get_image(image)
            # The SDK takes away what it does not know and is not told again.
            self._proxy.update_image(found, **{**found.properties, **attributes})

    def show(self, image: str) -> GlanceImage:
        """Return the present state of an image.

        Args:
            image: ID.
        """
        with _asking(f"show image {image}"):
            return GlanceImage.parse(self._proxy.get_image(image))

    def download(self, image: GlanceImage) -> Iterator[bytes]:
        """Give an image's bytes, held against the size and digest in Glance.

        Args:
            image: image to download, as Glance describes it.

        Yields:
            Its bytes.

        Raises:
            BytesDiffer: they were not these; raised in place of the end.
        """
        digest = hashlib.new(image.hash_algo) if image.hash_algo else None
        size = 0
        for chunk in self._chunks(image):
            size += len(chunk)
            if digest:
                digest.update(chunk)
            yield chunk
        _expect(image, size, digest.hexdigest() if digest else "", "stored")

    def part(self, image: GlanceImage, offset: int, size: int) -> bytes:
        """Read a part of an image.

        Args:
            image: image to read, as Glance describes it.
            offset: beginning of the part, in bytes.
            size: length of the part, in bytes.

        Raises:
            NoParts: Glance's store cannot give any.
        """
        headers = {"Range": f"bytes={offset}-{offset + size - 1}"}
        with (
            _asking(f"give a part of image {image.id}"),
            self._proxy.get(_file(image), headers=headers, stream=True) as answer,
        ):
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                raise NoParts(image=image.id, status=answer.status_code)
            return bytes(answer.content)

    def _chunks(self, image: GlanceImage) -> Iterator[bytes]:
        with (
            _asking(f"give the bytes of image {image.id}"),
            self._proxy.get(_file(image), stream=True) as answer,
        ):
            openstack.exceptions.raise_from_response(answer)
            yield from answer.iter_content(_CHUNK)

    def _take_away(self, image: str) -> None:
        try:
            self._proxy.delete_image(image)
        except (openstack.exceptions.SDKException, *_LOST) as error:
            LOG.warning("Image %s is left in Glance; delete it (%s)", image, error)


def expect_arrived(image: GlanceImage, size: int, algorithm: str, digest: str) -> None:
    """Hold the uploaded image against the sent bytes.

    Args:
        image: as Glance describes it after the upload.
        size: bytes that were sent.
        algorithm: hash algorithm of the digest.
        digest: hash of the sent bytes.

    Raises:
        BytesDiffer: it has others.
    """
    _expect(image, size, digest if algorithm == image.hash_algo else "", "sent")


def _expect(image: GlanceImage, size: int, digest: str, verb: str) -> None:
    if size != image.size:
        reason = f"{size} bytes, where Glance says {image.size}"
        raise BytesDiffer(image=image.id, verb=verb, reason=reason)
    if digest and digest != image.hash_value:
        reason = f"the {image.hash_algo} is {digest}, where Glance says {image.hash_value}"
        raise BytesDiffer(image=image.id, verb=verb, reason=reason)


def _file(image: GlanceImage) -> str:
    return f"/images/{image.id}/file"


@contextlib.contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        yield
    except openstack.exceptions.HttpException as error:
        _fail(action, f"{_told(error)} (HTTP {error.status_code})")
    except openstack.exceptions.SDKException as error:
        _fail(action, str(error))
    except _LOST as error:
        _fail(action, f"the connection failed ({innermost(error)})")


def _told(error: Any) -> str:
    # Of a page of HTML the SDK makes "403 Forbidden: You are not ...: Forbidden", and of plain
    # text nothing.
    answer = error.response
    plain = answer is not None and "text/plain" in answer.headers.get("content-type", "")
    parts = (answer.text if plain else str(error.details or error)).replace("\n", ": ").split(": ")
    told = dict.fromkeys(part.strip() for part in parts)
    told = {part: None for part in told if part and not part.startswith(str(error.status_code))}
    return ": ".join(told) or str(error.details or "no reason told")


def _fail(action: str, reason: str) -> NoReturn:
    raise GlanceFailed(action=action, reason=reason)
