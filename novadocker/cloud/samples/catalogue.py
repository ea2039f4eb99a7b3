# SPDX-License-Identifier: Apache-2.0
"""An entry of the catalogue of applications, made from a saved image (pure).

What the image's config tells decides what is asked of whoever deploys it: a parameter for each
variable of its environment, a rule of the security group for each port that it exposes.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

# What images set for themselves rather than for those who use them.
_NOT_ASKED = re.compile(r"PATH|HOME|LANG|LC_.*|TERM|PWD|HOSTNAME|.*_(VERSION|SHA256|SHA512)")
_SECRET = re.compile(r".*(PASSWORD|SECRET|TOKEN|KEY)")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION = "2021-04-16"


class NameRefused(ValueError):
    """Name unfit for a stack, an image and a folder at once."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} cannot be an entry's name: it takes small letters, digits and dashes, "
            "beginning with one of the first two, at most 63"
        )


@dataclass(frozen=True)
class Entry:
    """Parts of an entry.

    Args:
        name: the entry's, as the stack and the folder are called.
        description: sentence for people.
        ports: protocol and number of each port that is to be reached.
        environment: the variables that the image sets.
    """

    name: str
    description: str
    ports: tuple[tuple[str, int], ...]
    environment: Mapping[str, str]

    @property
    def image(self) -> str:
        """Name of the image in Glance."""
        return f"catalogue-{self.name}"


def of_config(name: str, description: str, config: bytes) -> Entry:
    """Return the entry for an image.

    Args:
        name: the entry's, as the stack and the folder are called.
        description: sentence for people.
        config: the image's.

    Raises:
        NameRefused: the name cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise NameRefused(name)
    settings = json.loads(config).get("config") or {}
    exposed = settings.get("ExposedPorts") or {}
    variables = (each.partition("=")[::2] for each in settings.get("Env") or ())
    asked = {key: value for key, value in variables if not _NOT_ASKED.fullmatch(key)}
    return Entry(name, description, tuple(sorted(map(_port, exposed))), asked)


def template(entry: Entry) -> str:
    """Return the entry's Heat template."""
    document = {
        "heat_template_version": _VERSION,
        "description": entry.description,
        "parameters": {**_variables(entry), **_cloud(entry)},
        "resources": _resources(entry),
        "outputs": {
            "address": {
                "description": "Where it is reached from outside",
                "value": {"get_attr": ["address", "floating_ip_address"]},
            }
        },
    }
    return yaml.safe_dump(document, sort_keys=False, width=100)


def icon(entry: Entry) -> str:
    """Return a picture: the first letter of its name."""
    letter = html.escape(entry.name[0].upper())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" '
        f'aria-label="{html.escape(entry.name)}">\n'
        '  <rect width="64" height="64" rx="12" fill="#44546a"/>\n'
        '  <text x="32" y="44" font-family="sans-serif" font-size="36" text-anchor="middle" '
        f'fill="#fff">{letter}</text>\n</svg>\n'
    )


def _port(text: str) -> tuple[str, int]:
    number, _, protocol = text.partition("/")
    return protocol or "tcp", int(number)


def _variables(entry: Entry) -> dict[str, Any]:
    return {
        name: {
            "type": "string",
            "description": f"The variable {name} of its environment",
            "default": value,
            **({"hidden": True} if _SECRET.fullmatch(name) else {}),
        }
        for name, value in entry.environment.items()
    }


def _cloud(entry: Entry) -> dict[str, Any]:
    return {
        name: {
            "type": "string",
            "description": description,
            "default": default,
        }
        # No constraint: of one, a dashboard makes a list in which the default is not chosen, and
        # public networks are not listed. The resources' own constraints hold all the same.
        for name, description, default in (
            ("image", "The image, as it is called in Glance", entry.image),
            ("flavor", "Memory, processors and disk", "c1.small"),
            ("network", "The network to be on", "private"),
            ("public_network", "Where the floating address is from", "public"),
        )
    }


def _resources(entry: Entry) -> dict[str, Any]:
    metadata = {name: {"get_param": name} for name in entry.environment}
    return {
        "group": _resource("OS::Neutron::SecurityGroup", rules=list(_rules(entry.ports))),
        "nic": _resource(
            "OS::Neutron::Port",
            network={"get_param": "network"},
            security_groups=[{"get_resource": "group"}],
        ),
        "server": _resource(
            "OS::Nova::Server",
            name={"get_param": "OS::stack_name"},
            image={"get_param": "image"},
            flavor={"get_param": "flavor"},
            networks=[{"port": {"get_resource": "nic"}}],
            **({"metadata": metadata} if metadata else {}),
        ),
        "address": _resource(
            "OS::Neutron::FloatingIP",
            floating_network={"get_param": "public_network"},
            port_id={"get_resource": "nic"},
        ),
    }


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "properties": properties}


def _rules(ports: Iterable[tuple[str, int]]) -> Iterable[dict[str, Any]]:
    yield {"protocol": "icmp"}
    for protocol, number in ports:
        yield {"protocol": protocol, "port_range_min": number, "port_range_max": number}
