# SPDX-License-Identifier: Apache-2.0
"""What an image may ask for its containers."""

from typing import Any

import pytest

from novadocker.archive import CheckedArchive
from tests.unit.archive.reading import HOST, checked, reason

SECOND = 1_000_000_000


def archive_with(saved_images: Any, settings: Any) -> bytes:
    """Return an archive of an image with settings."""
    layer = saved_images.layer()
    config = saved_images.config([saved_images.sha256(layer)], config=settings)
    return saved_images.old_style(layer, config=config).tar()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("all", "not an object"),
        ({"WorkingDir": "/proc/self/fd/8"}, "WorkingDir '/proc/self/fd/8'"),
        ({"WorkingDir": "//proc/1/cwd"}, "WorkingDir"),
        ({"WorkingDir": "/srv/../proc/self"}, "WorkingDir"),
        ({"WorkingDir": "proc/self/fd/8"}, "WorkingDir"),
        ({"WorkingDir": "app"}, "relative WorkingDir 'app'; a path from the root is accepted"),
        ({"Volumes": {"/sys/fs/cgroup": {}}}, "build the image without that VOLUME"),
        ({"WorkingDir": "/dev/fd/8"}, "WorkingDir"),
        ({"WorkingDir": "/sys"}, "WorkingDir"),
        ({"WorkingDir": "/a\0b"}, "WorkingDir"),
        ({"WorkingDir": "/" + "d" * 5000}, "WorkingDir"),
        ({"WorkingDir": 1}, "as 'WorkingDir', not a string"),
        ({"Volumes": {"/": {}}}, "Volume '/'"),
        ({"Volumes": {"": {}}}, "Volume ''"),
        ({"Volumes": {"/srv/..": {}}}, "Volume"),
        ({"Volumes": {"/dev": {}}}, "Volume '/dev'"),
        ({"Volumes": {"/dev/.novadocker": {}}}, "Volume"),
        ({"Volumes": {"/proc/sys": {}}}, "Volume"),
        ({"Volumes": {f"/{number}": {} for number in range(65)}}, "65 Volumes; 64 are accepted"),
        ({"Volumes": ["/data"]}, "as 'Volumes', not an object"),
        ({"Env": ["A=" + "x" * 200_000]}, "which no process can be given"),
        ({"Env": ["A=a\0b"]}, "which no process can be given"),
        ({"Env": [f"A{number}=" + "x" * 100_000 for number in range(12)]}, "of more than"),
        ({"Env": {"A": "a"}}, "as 'Env', not a list"),
        ({"Env": [1]}, "something else than strings in 'Env'"),
        ({"Cmd": ["a\0b"]}, "which no process can be given"),
        ({"Entrypoint": [["sh"]]}, "something else than strings"),
        ({"User": "root\0"}, "which no process can be given"),
        ({"StopSignal": 9}, "as 'StopSignal', not a string"),
        ({"Labels": {"novadocker.instance": "5a1c"}}, "which is for hosts to set"),
        ({"Labels": {"novadocker.role": "rescue"}}, "which is for hosts to set"),
        ({"Labels": {"novadocker.kept": "-1"}}, "which is for hosts to set"),
        ({"Labels": {"a": 1}}, "that is no string"),
        ({"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000}}, "Interval of 1000 ns"),
        ({"Healthcheck": {"StartInterval": 1}}, "StartInterval of 1 ns"),
        ({"Healthcheck": {"Interval": -1}}, "not a size"),
        ({"Healthcheck": {"Test": "true"}}, "as 'Test', not a list"),
        ({"Cmd": [], "cmd": []}, "has both 'Cmd' and 'cmd'"),
        ({"workingdir": "/proc/self/fd/8"}, "has 'workingdir', which some take for 'WorkingDir'"),
        ({"Label\u017f": {"novadocker.role": "rescue"}}, "which some take for 'Labels'"),
        ({"HealthCheck": {"Interval": 1}}, "which some take for 'Healthcheck'"),
    ],
)
def test_what_no_container_can_be_given_is_refused(
    saved_images: Any, settings: Any, why: str
) -> None:
    """Places of the kernel's, what would not start, what only hosts may say of a container."""
    assert why in reason(archive_with(saved_images, settings))


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {},
        {"WorkingDir": "", "User": "", "Env": None, "Cmd": None, "Labels": None, "Volumes": None},
        {"WorkingDir": "/process", "Volumes": {"/devices": {}, "data": {}, "/srv/proc": {}}},
        {"Entrypoint": "/bin/serve", "Cmd": ["-f"], "StopSignal": "SIGINT"},
        {"Env": ["A=", "B=b=c", "C"], "Labels": {"a": "", "A": "", "org.novadocker.x": "1"}},
        {"Healthcheck": {"Test": ["NONE"]}, "OnBuild": ["RUN rm -rf /"], "Shell": ["/bin/sh"]},
        {"Healthcheck": {"Test": ["CMD", "true"], "Interval": SECOND, "Timeout": 1, "Retries": 3}},
        {"ExposedPorts": {"80/tcp": {}}, "ArgsEscaped": True, "Hostname": "x"},
    ],
)
def test_what_images_ask_for_is_accepted(saved_images: Any, settings: Any) -> None:
    """As builders write it, what is null and what we do not know included."""
    assert b"".join(checked(archive_with(saved_images, settings)))


def test_an_engines_own_commit_may_have_our_labels(saved_images: Any) -> None:
    """They are taken out of it on the way, with everything else of the server's."""
    data = archive_with(saved_images, {"Labels": {"novadocker.instance": "5a1c"}})
    archive = CheckedArchive(
        [data], image="0f5c", tag=None, platform=HOST, revise=lambda config: config
    )
    assert b"".join(archive)


def test_settings_under_another_spelling_are_refused(saved_images: Any) -> None:
    """Go takes them for what they are not called; nobody writes them so."""
    layer = saved_images.layer()
    config = saved_images.config([saved_images.sha256(layer)], config=None)
    config = config.replace(b'"config": null', b'"Config": {"WorkingDir": "/proc/self/fd/8"}')
    assert "has 'Config', which some take for 'config'" in reason(
        saved_images.old_style(layer, config=config).tar()
    )
