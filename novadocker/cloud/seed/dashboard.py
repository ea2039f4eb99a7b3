# SPDX-License-Identifier: Apache-2.0
"""Metadata definitions in Glance, for the dashboard's forms.

Where Glance has none of a kind, Horizon's forms for things of that kind fail.
"""

from collections.abc import Iterable
from typing import Any

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.seed.identity import connect
from novadocker.policy import extra_specs

_NAMESPACES = "/metadefs/namespaces"
_FLAVOR, _SERVER = "OS::Nova::Flavor", "OS::Nova::Server"
_READ = "What nova-docker reads of them."
_GIVEN = "Each is an environment variable of the server's process."
_HOSTS = "Nothing of its own: what flavors ask of an aggregate is for the operator to say."
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


_TZ = {
    "TZ": {
        "title": "Time zone",
        "description": "For programs that ask for it, such as Europe/Vienna.",
        "type": "string",
    },
}


def namespaces() -> tuple[dict[str, Any], ...]:
    """Return the definitions for images, flavors, servers and host aggregates."""
    narrowing = [each for each in extra_specs.EXTRA_SPECS if each.narrows]
    of_images = {each.image_property: _property(each) for each in narrowing}
    of_flavors = {each.name: _property(each) for each in extra_specs.EXTRA_SPECS}
    return (
        _namespace("Images", _READ, {"name": "OS::Glance::Image"}, _OF_IMAGES | of_images),
        _namespace("Flavors", _READ, {"name": _FLAVOR, "prefix": extra_specs.PREFIX}, of_flavors),
        _namespace("Servers", _GIVEN, {"name": _SERVER, "properties_target": "metadata"}, _TZ),
        _namespace("Aggregates", _HOSTS, {"name": "OS::Nova::Aggregate"}, {}),
    )


def ensure(layout: Layout) -> None:
    """Make the missing definitions."""
    with connect(layout, "admin") as cloud:
        answer = cloud.image.get(_NAMESPACES)
        answer.raise_for_status()
        present = {each["namespace"] for each in answer.json()["namespaces"]}
        for namespace in _missing(present):
            cloud.image.post(_NAMESPACES, json=namespace).raise_for_status()


def _missing(present: Iterable[str]) -> list[dict[str, Any]]:
    return [each for each in namespaces() if each["namespace"] not in present]


def _namespace(
    what: str, description: str, resource_type: dict[str, str], properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "namespace": f"NovaDocker::{what}",
        "display_name": f"Containers: {what.lower()}",
        "description": description,
        "visibility": "public",
        "resource_type_associations": [resource_type],
        "properties": properties,
    }


def _property(extra_spec: extra_specs.ExtraSpec[object]) -> dict[str, str]:
    title = extra_spec.name.replace("_", " ").capitalize()
    return {"title": title, "description": extra_spec.description, "type": "string"}
