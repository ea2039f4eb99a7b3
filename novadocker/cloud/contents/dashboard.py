# SPDX-License-Identifier: Apache-2.0
"""What the dashboard's forms know of containers: Glance's metadata definitions.

Where Glance has none at all, Horizon's pages of images fail.
"""

from collections.abc import Iterable
from typing import Any

from novadocker.cloud.contents.identity import connect
from novadocker.cloud.layout import Layout
from novadocker.virt.docker.policy import words

_NAMESPACES = "/metadefs/namespaces"
_OF_IMAGES = {
    "os_command_line": {
        "title": "Command",
        "description": "Takes the place of the image's CMD; quoted as in a shell.",
        "type": "string",
    },
    "docker_user_data": {
        "title": "User data",
        "description": "Whether a script among a server's user data is run before its command.",
        "type": "string",
        "enum": ["run"],
    },
}


def namespaces() -> tuple[dict[str, Any], ...]:
    """Return the definitions: of what images may say, and of what flavors may."""
    narrowing = [word for word in words.WORDS if word.narrows]
    of_images = {word.image_property: _property(word) for word in narrowing}
    of_flavors = {word.name: _property(word) for word in words.WORDS}
    return (
        _namespace("Images", {"name": "OS::Glance::Image"}, {**_OF_IMAGES, **of_images}),
        _namespace("Flavors", {"name": "OS::Nova::Flavor", "prefix": words.PREFIX}, of_flavors),
    )


def ensure(layout: Layout) -> None:
    """Make the definitions that are missing."""
    with connect(layout, "admin") as cloud:
        answer = cloud.image.get(_NAMESPACES)
        answer.raise_for_status()
        present = {each["namespace"] for each in answer.json()["namespaces"]}
        for namespace in _missing(present):
            cloud.image.post(_NAMESPACES, json=namespace).raise_for_status()


def _missing(present: Iterable[str]) -> list[dict[str, Any]]:
    return [each for each in namespaces() if each["namespace"] not in present]


def _namespace(
    what: str, resource_type: dict[str, str], properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "namespace": f"NovaDocker::{what}",
        "display_name": f"Containers: {what.lower()}",
        "description": "What nova-docker reads of them.",
        "visibility": "public",
        "resource_type_associations": [resource_type],
        "properties": properties,
    }


def _property(word: words.Word[object]) -> dict[str, str]:
    title = word.name.replace("_", " ").capitalize()
    return {"title": title, "description": word.words, "type": "string"}
