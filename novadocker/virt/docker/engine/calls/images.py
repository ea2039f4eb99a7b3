# SPDX-License-Identifier: Apache-2.0
"""The engine's calls about images."""

import contextlib
import json
import uuid
from collections.abc import Generator, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import docker.errors

from novadocker.virt.docker.engine.connection import Caller, refusal
from novadocker.virt.docker.engine.settling import settled
from novadocker.virt.docker.engine.values import Image

SAVE_CHUNK_BYTES = 1024 * 1024


class ImageCalls(Caller):
    """Calls about images."""

    def find_image(self, tag: str) -> Image | None:
        """Look for an image.

        Args:
            tag: name or id of the image.

        Returns:
            The image, or None if the engine has none of that name.
        """
        with self._call(f"look for image {tag}"):
            try:
                return Image.parse(self._api.inspect_image(tag))
            except docker.errors.ImageNotFound:
                return None

    def load_image(self, chunks: Iterable[bytes]) -> None:
        """Load a ``docker save`` archive while its bytes arrive.

        Args:
            chunks: the archive's bytes; what they raise ends the call and is raised.

        Raises:
            EngineOutOfSpace: there was no room for it.
        """
        action = "load an image"
        # Not quiet: the time limit is between two signs of life. Nor by the SDK's own call,
        # whose limit is of calls from memory: a layer may take long to be unpacked.
        arguments: dict[str, Any] = {"params": {"quiet": "false"}, "data": iter(chunks)}
        headers = {"Content-Type": "application/x-tar"}
        with (
            self._call(action),
            self._send(
                "load", "POST", "/images/load", headers=headers, stream=True, **arguments
            ) as answer,
        ):
            for line in answer.iter_lines(chunk_size=None):
                if line and (reason := json.loads(line).get("error")):
                    raise refusal(action, reason)

    def import_layer(self, chunks: Iterable[bytes], tag: str) -> None:
        """Make an image of one layer, unpacked during the call.

        Args:
            chunks: the layer's bytes; what they raise ends the call and is raised.
            tag: "REPOSITORY:TAG", the image's name.

        Raises:
            EngineOutOfSpace: there was no room for it.
        """
        action = "import a layer"
        repository, _, tag = tag.partition(":")
        params = {"fromSrc": "-", "repo": repository, "tag": tag}
        headers = {"Content-Type": "application/x-tar"}
        # Not by the SDK's own call, which has no time limit and hides an error in the answer.
        with self._call(action):
            answer = self._send(
                "import",
                "POST",
                "/images/create",
                params=params,
                data=iter(chunks),
                headers=headers,
            )
            for line in answer.text.splitlines():
                if reason := json.loads(line).get("error"):
                    raise refusal(action, reason)

    def image_settings(self, image: str) -> Mapping[str, Any]:
        """Return the settings for an image's containers, from the image's config.

        Args:
            image: id or name of the image.

        Returns:
            Command, environment, ports and so on, by the names that the format gives them.
        """
        with self._call(f"look into image {image}"):
            settings: Mapping[str, Any] = self._api.inspect_image(image).get("Config") or {}
            return settings

    def commit(self, name: str, tag: str, *, pause: bool) -> str:
        """Make an image of a container as it is.

        Args:
            name: name of the container.
            tag: "REPOSITORY:TAG", the image's name.
            pause: True freezes the container while its files are read.

        Returns:
            The image's id.

        Raises:
            ContainerNotFound: there is no container.
            EngineOutOfSpace: there was no room for it.
            EngineReplyLost: the image was not seen for a minute; the image may come yet.
        """
        repository, _, version = tag.partition(":")
        # Tells the image of this call from one that an earlier call left under the same name.
        mark = uuid.uuid4().hex
        params = {
            "container": name,
            "repo": repository,
            "tag": version,
            "pause": int(pause),
            "comment": mark,
        }

        def act() -> str:
            # Not by the SDK's own call, which waits no longer than for any other.
            with self._call(f"commit container {name}", name):
                answer = self._send("commit", "POST", "/commit", params=params, json={})
                return str(answer.json()["Id"])

        def look() -> str | None:
            with self._call(f"look for image {tag}"), contextlib.suppress(docker.errors.NotFound):
                found = self._api.inspect_image(tag)
                return str(found["Id"]) if found.get("Comment") == mark else None
            return None

        return settled(act, look)

    def save_image(self, image: str) -> Generator[bytes]:
        """Save an image as ``docker save`` does; nothing is asked for before the first byte is.

        Args:
            image: id of the image.

        Yields:
            The archive's bytes, as they come.
        """
        # Not by the SDK's own call: that has no time limit once the answer has begun.
        with self._call(f"save image {image}"):
            path = f"/images/{quote(image)}/get"
            with self._send("save", "GET", path, stream=True) as answer:
                yield from answer.iter_content(SAVE_CHUNK_BYTES)

    def remove_image(self, tag: str) -> None:
        """Take a name from an image, and the image with its last name; absence is no error.

        Args:
            tag: the name.
        """
        with self._call(f"remove image {tag}"), contextlib.suppress(docker.errors.ImageNotFound):
            self._api.remove_image(tag)

    def image_tags(self, prefix: str, label: str | None = None) -> list[str]:
        """List names of images.

        Args:
            prefix: common beginning of the names.
            label: "NAME" or "NAME=VALUE" of the images.

        Returns:
            The names, sorted.
        """
        with self._call("list images"):
            images = self._api.images(filters={"label": label} if label else None)
            names = (tag for image in images for tag in image.get("RepoTags") or ())
            return sorted(name for name in names if name.startswith(prefix))

    def image_ids(self) -> set[str]:
        """List the ids of all images."""
        with self._call("list images"):
            return {str(image["Id"]) for image in self._api.images()}
