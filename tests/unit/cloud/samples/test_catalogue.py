# SPDX-License-Identifier: Apache-2.0
import json

import pytest
import yaml

from novadocker.cloud.samples import catalogue

CONFIG = json.dumps(
    {
        "config": {
            "ExposedPorts": {"5432/tcp": {}, "53/udp": {}},
            "Env": ["PATH=/bin", "PG_VERSION=17", "POSTGRES_PASSWORD=", "POSTGRES_DB=app"],
        }
    }
).encode()


def _document(config: bytes = CONFIG) -> dict[str, dict[str, dict[str, object]]]:
    entry = catalogue.of_config("postgres", "A database", config)
    document: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(catalogue.template(entry))
    return document


def test_exposed_ports_are_let_in() -> None:
    """A rule for each port that the image exposes, and for ping."""
    properties = _document()["resources"]["group"]["properties"]
    assert properties == {
        "rules": [
            {"protocol": "icmp"},
            {"protocol": "tcp", "port_range_min": 5432, "port_range_max": 5432},
            {"protocol": "udp", "port_range_min": 53, "port_range_max": 53},
        ]
    }


def test_the_environment_is_asked_for() -> None:
    """Variables for an image's users are parameters, variables for the image itself are not."""
    asked = _document()["parameters"]
    assert {"POSTGRES_PASSWORD", "POSTGRES_DB", "image", "flavor"} <= asked.keys()
    assert not {"PATH", "PG_VERSION"} & asked.keys()
    assert asked["POSTGRES_DB"]["default"] == "app"


def test_secrets_are_hidden() -> None:
    """Nobody reads a password in the stack's parameters."""
    asked = _document()["parameters"]
    assert asked["POSTGRES_PASSWORD"]["hidden"] is True
    assert "hidden" not in asked["POSTGRES_DB"]


def test_an_image_that_says_nothing_makes_an_entry_too() -> None:
    """No port, no variable: a server that can be pinged."""
    document = _document(b'{"config": null}')
    server = document["resources"]["server"]["properties"]
    assert isinstance(server, dict)
    assert "metadata" not in server


@pytest.mark.parametrize("name", ["", "Web", "a/b", "..", "-a", "a" * 64])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    """A name unfit for a folder, an image and a stack is refused, with the accepted form."""
    with pytest.raises(catalogue.NameRefused, match="small letters, digits and dashes"):
        catalogue.of_config(name, "", b"{}")


def test_the_icon_is_a_picture_of_its_own() -> None:
    """An SVG that loads nothing from anywhere."""
    picture = catalogue.icon(catalogue.of_config("web", "", b"{}"))
    assert picture.startswith("<svg ")
    assert "href" not in picture
