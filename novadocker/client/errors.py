# SPDX-License-Identifier: Apache-2.0
"""Errors of the commands, as a tree; each message is a single line.

::

    ClientError
    ├── OriginUnreadable     the archive that was named cannot be read
    │   ├── NoEngine         no Docker Engine is at hand
    │   └── NoWayToRegistry  neither a Docker Engine nor skopeo is
    ├── PlatformRefused      the wanted platform is none
    ├── PropertiesRefused    an image would get properties that it cannot have
    ├── NameMissing          nothing says what an image is to be called
    ├── NotAContainerImage   a Glance image is not in Docker's format
    ├── OutputRefused        the archive cannot be written to where it should be
    └── GlanceFailed         Glance refused a call, or broke off in it
        ├── ImageNotFound    it has no such image
        ├── NameAmbiguous    several images have the name
        ├── NoParts          its store gives images as a whole only
        └── BytesDiffer      what it has is not what was sent, or other than it says

An unsound archive raises ``ImageInvalid`` of the driver's tree, for the checker is the driver's.
"""

from typing import Any, ClassVar


class ClientError(Exception):
    """Base of all errors of the commands.

    Args:
        **values: fields of the class's message.
    """

    message: ClassVar[str] = "The command failed: {reason}"

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(" ".join(self.message.format(**values).split()))


class OriginUnreadable(ClientError):
    """The archive cannot be read."""

    message = "{origin} cannot be read: {reason}"


class NoEngine(OriginUnreadable):
    """No engine answers."""

    message = (
        "{origin} cannot be read: no Docker Engine is at hand ({reason}); start one, or set "
        "DOCKER_HOST, or save the image elsewhere and import the file"
    )


class NoWayToRegistry(OriginUnreadable):
    """Nothing can pull."""

    message = (
        "{origin} cannot be read: no Docker Engine is at hand ({reason}) and skopeo is not "
        "installed; one of them is needed to read from a registry"
    )


class PlatformRefused(ClientError):
    """No platform."""

    message = (
        "Platform {value!r} is refused; accepted is OS/ARCHITECTURE[/VARIANT], such as linux/arm64"
    )


class PropertiesRefused(ClientError):
    """Not a property that can be set."""

    message = "Property {name}={value} is refused: {reason}"


class NameMissing(ClientError):
    """No name."""

    message = "The image needs a name: give --name, for {origin} has none"


class NotAContainerImage(ClientError):
    """A VM's image, or none yet."""

    message = "Image {image} is no container image: {reason}"


class OutputRefused(ClientError):
    """Nowhere to write."""

    message = "The archive cannot be written to {path}: {reason}"


class GlanceFailed(ClientError):
    """A call failed."""

    message = "Glance failed to {action}: {reason}"


class ImageNotFound(GlanceFailed):
    """No such image."""

    message = "Glance has no image {image} that you may see"


class NameAmbiguous(GlanceFailed):
    """More than one."""

    message = "Several images are called {image}; give the ID of one of them"


class NoParts(GlanceFailed):
    """No ranges."""

    message = "Glance does not give parts of image {image} (HTTP {status})"


class BytesDiffer(GlanceFailed):
    """Not the same bytes."""

    message = "Image {image} is not what was {verb}: {reason}"


def innermost(error: BaseException) -> str:
    """Return the system's own words, without the wrapping of several libraries.

    Args:
        error: one of a connection.
    """
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
