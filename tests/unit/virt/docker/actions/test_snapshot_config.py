# SPDX-License-Identifier: Apache-2.0
"""What becomes of the config of an image that was committed from a server."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from novadocker.archive import CheckedArchive
from novadocker.archive.fault import Fault
from novadocker.virt.docker.actions.snapshot_config import HISTORY, revised
from tests.unit.archive.reading import HOST, checked, members_of

SETTINGS = {
    "Cmd": ["/bin/serve"],
    "Entrypoint": None,
    "Env": ["PATH=/bin"],
    "ExposedPorts": {"80/tcp": {}},
    "Healthcheck": {"Test": ["CMD", "true"]},
    "Labels": {"a": "1"},
    "StopSignal": "SIGINT",
    "User": "web",
    "Volumes": {"/data": {}},
    "WorkingDir": "/srv",
}
# As an engine of version 20.10 commits a server.
COMMITTED = {
    "architecture": "arm64",
    "variant": "v8",
    "os": "linux",
    "author": "somebody",
    "created": "2026-01-02T03:04:05Z",
    "rootfs": {"type": "layers", "diff_ids": ["sha256:aa", "sha256:bb"]},
    "config": {
        "Entrypoint": ["/dev/.novadocker/gate", "/dev/.novadocker/open"],
        "Env": ["SECRET=of the server"],
        "Labels": {"novadocker.instance": "5a1c"},
        "Hostname": "web-1",
    },
    "container": "0123456789ab",
    "container_config": {"Env": ["SECRET=of the server"], "Image": "sha256:cc"},
    "docker_version": "20.10.24",
    "history": [
        {"created": "2025-01-01T00:00:00Z", "created_by": "/bin/sh -c build"},
        {
            "created": "2026-01-02T03:04:05Z",
            "created_by": "/dev/.novadocker/gate SECRET",
            "comment": "6e0a",
        },
    ],
}


def committed(**changes: Any) -> bytes:
    """Return the config of a committed image, with changes to its top level."""
    return json.dumps(COMMITTED | changes).encode()


def test_settings_are_those_of_the_servers_image() -> None:
    """All of them, as they are, what is null included."""
    assert json.loads(revised(committed(), SETTINGS))["config"] == SETTINGS


def test_files_and_platform_are_the_servers() -> None:
    """Layers, architecture, variant, author and time stay."""
    made = json.loads(revised(committed(), SETTINGS))
    kept = ("architecture", "variant", "os", "author", "created", "rootfs")
    assert {name: made[name] for name in kept} == {name: COMMITTED[name] for name in kept}


@pytest.mark.parametrize(
    "trace", [b"SECRET", b"novadocker", b"web-1", b"0123456789ab", b"sha256:cc"]
)
def test_nothing_tells_of_the_server(trace: bytes) -> None:
    """Its environment, labels, name and gate are in the committed config, and not in this."""
    assert trace in committed()
    assert trace not in revised(committed(), SETTINGS)


def test_history_says_that_a_snapshot_was_made() -> None:
    """As many entries as before, so that they still go with the layers."""
    first, last = json.loads(revised(committed(), SETTINGS))["history"]
    assert first == COMMITTED["history"][0]
    assert last == {"created": COMMITTED["created"], "created_by": HISTORY}


def test_history_of_a_server_that_was_made_anew_is_cleaned() -> None:
    """A resize may commit it as well, and quotes the gate then."""
    history = [COMMITTED["history"][1], {"created_by": "a"}, {"empty_layer": True}]
    made = json.loads(revised(committed(history=history), SETTINGS))["history"]
    assert [each["created_by"] for each in made] == [HISTORY, "a", HISTORY]


@pytest.mark.parametrize("history", [None, [], "none", ["odd"]])
def test_a_strange_history_does_no_harm(history: Any) -> None:
    """An image need not have one."""
    assert json.loads(revised(committed(history=history), SETTINGS))["config"] == SETTINGS


@pytest.mark.parametrize("config", [b"[]", b"no JSON", b'{"a": 1, "a": 2}'])
def test_what_is_no_config_is_refused(config: bytes) -> None:
    """An engine that broke off is noticed."""
    with pytest.raises(Fault):
        revised(config, SETTINGS)


def test_an_archive_comes_out_with_the_other_config(
    form: Callable[..., Any], layers: tuple[bytes, bytes]
) -> None:
    """Whatever the form: same layers, new id, no tag, and sound by our own check."""
    data = form(*layers).tar()
    archive = CheckedArchive(
        [data],
        image="0f5c",
        tag=None,
        platform=HOST,
        revise=lambda config: revised(config, SETTINGS),
    )
    made = b"".join(archive)
    again = checked(made)
    assert b"".join(again)
    assert again.saved_image.id == archive.saved_image.id
    assert again.saved_image.layers == archive.saved_image.layers
    members = members_of(made)
    (manifest,) = json.loads(members.pop("manifest.json"))
    assert manifest["RepoTags"] is None
    assert tuple(members.pop(path) for path in manifest["Layers"]) == layers
    (name, config), *others = members.items()
    assert others == []
    assert (name, manifest["Config"]) == (f"{hashlib.sha256(config).hexdigest()}.json", name)
    assert json.loads(config)["config"] == SETTINGS
