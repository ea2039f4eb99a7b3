# SPDX-License-Identifier: Apache-2.0
"""Faults that show while an engine loads an image: the image's, or the host's."""

from novadocker.archive.fault import TooLarge
from novadocker.errors import (
    EngineError,
    EngineOutOfSpace,
    EngineUnavailable,
    ImageInvalid,
)
from novadocker.virt.docker.images.request import Wanted

# The engine's words for a layer that it cannot lay out.
_LAYOUT = "rocessing tar file"
# Causes of these lie below the engine, and another host may not have them.
_OF_HOST = (
    "input/output error",
    "read-only file system",
    "too many open files",
    "cannot allocate memory",
    "disk quota exceeded",
    "unexpected EOF",
    "signal: killed",
)


def blamed(wanted: Wanted, error: Exception) -> Exception:
    """Return the error of a failed load: the image's fault, or the engine's.

    Nova tries other hosts after a fault of this one. An image that no engine can lay out would
    be read by each of them in turn, and by each twice.

    Args:
        wanted: the image that was loaded.
        error: failure of the load.
    """
    if isinstance(error.__cause__, TooLarge) and wanted.limit:
        reason = f"{error.__cause__} ({wanted.limit.bound})"
        if wanted.limit.of_host:
            return EngineOutOfSpace(action=f"load image {wanted.image}", reason=reason)
        return ImageInvalid(image=wanted.image, reason=reason)
    if isinstance(error, (EngineUnavailable, EngineOutOfSpace)):
        return error
    reason = str(error)
    laid_out = not isinstance(error, EngineError) or _LAYOUT not in reason
    if laid_out or any(each in reason for each in _OF_HOST):
        return error
    return ImageInvalid(image=wanted.image, reason=f"no engine can lay it out: {reason}")
