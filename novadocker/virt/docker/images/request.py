# SPDX-License-Identifier: Apache-2.0
"""An image that somebody wants in the engine, and how Glance's refusals are told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from novadocker.archive import Bounds
from novadocker.errors import ImageFetchFailed
from novadocker.virt.docker.images.progress import Progress
from novadocker.virt.docker.images.ranges import NoRanges
from novadocker.virt.docker.images.size_limit import SizeLimit
from novadocker.virt.nova_types import RequestContext


@dataclass(frozen=True)
class Wanted:
    """Request for an image in the engine.

    Attributes:
        context: the request's, for Glance.
        image: Glance's id.
        tag: name in the engine.
        expect_wanted: raises when nobody waits for it any more.
        progress: counts what is read.
        limit: largest size that it may unpack to; None without one.
    """

    context: RequestContext
    image: str
    tag: str
    expect_wanted: Callable[[], None]
    progress: Progress
    limit: SizeLimit | None = None

    @property
    def bounds(self) -> Bounds:
        """Bounds of its archive."""
        usual = Bounds()
        if self.limit is None:
            return usual
        return replace(usual, unpacked=min(self.limit.bytes, usual.unpacked))

    @property
    def digits(self) -> str:
        """Hash of the image's bytes, as in the tag."""
        return self.tag.rpartition(":")[2]


@contextmanager
def fetching(image_id: str) -> Iterator[None]:
    """Raise Glance's errors as errors of ours.

    Args:
        image_id: Glance's id of what is read.

    Yields:
        Nothing.

    Raises:
        ImageFetchFailed: for all of it.
        NoRanges: Glance serves the image only as a whole.
    """
    try:
        yield
    except NoRanges:
        raise
    except Exception as error:
        # Nova's, glanceclient's, requests', and OSError for a wrong checksum at the end.
        reason = str(error) or type(error).__name__
        raise ImageFetchFailed(image=image_id, reason=reason) from error
