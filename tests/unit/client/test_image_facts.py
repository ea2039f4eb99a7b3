# SPDX-License-Identifier: Apache-2.0
from typing import Any

from novadocker.archive.image.index import Index, IndexedConfig, IndexedLayer
from novadocker.client.image_facts import (
    Description,
    LayerFigures,
    of_index,
    shared,
)

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


def figures(*diff_ids: str) -> tuple[LayerFigures, ...]:
    """Layers of no importance but their names."""
    return tuple(LayerFigures(diff_id, 1024, 1024) for diff_id in diff_ids)


def index(*diff_ids: str) -> Index:
    """An index of such layers."""
    layers = tuple(IndexedLayer(512, 1024, diff_id, 1024) for diff_id in diff_ids)
    return Index(99999, IndexedConfig(512, 10, A), layers)


def test_layers_are_shared_from_the_lowest_up() -> None:
    """A layer upon other ones is another layer to the engine."""
    others = [
        ("whole", index(A, B, C)),
        ("base", index(A)),
        ("other", index(B, A)),
        ("a", index(A, C)),
    ]
    assert shared(figures(A, B), others) == [["whole", "base", "a"], ["whole"]]
    assert shared(figures(A), []) == [[]]


def test_settings_of_an_image_are_shown_under_our_names() -> None:
    """What its containers are like."""
    config = {
        "os": "linux",
        "architecture": "arm64",
        "created": "2026-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": ["serve"],
            "Env": ["A=1"],
            "User": "web",
            "WorkingDir": "/srv",
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Volumes": {"/data": {}},
            "Labels": {"a": "b"},
            "Healthcheck": {"Test": ["CMD", "true"]},
            "StopSignal": "SIGINT",
        },
    }
    found = Description(A, config, ())
    assert found.platform == "linux/arm64"
    settings = found.settings()
    assert settings["exposed_ports"] == ["443/tcp", "80/tcp"]
    assert settings["entrypoint"] == ["/bin/sh", "-c"]
    assert settings["labels"] == {"a": "b"}
    assert settings["stop_signal"] == "SIGINT"


def test_an_image_without_settings_is_shown() -> None:
    """Some tools write null, or something else altogether."""
    odd: list[Any] = [None, [], "x", {"Cmd": None, "Labels": None, "ExposedPorts": ["80"]}]
    for config in odd:
        settings = Description(A, {"config": config}, ()).settings()
        assert (settings["command"], settings["labels"], settings["exposed_ports"]) == ([], {}, [])


def test_an_index_that_contradicts_the_config_describes_nothing() -> None:
    """It is its owner's word only; then all of the image is read."""
    config = f'{{"rootfs": {{"diff_ids": ["{A}"]}}}}'.encode()
    assert of_index(index(A), config) is not None
    assert of_index(index(B), config) is None
    assert of_index(index(A), b"[]") is None
