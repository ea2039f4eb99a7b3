# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.policy import (
    Abilities,
    Flavor,
    Settings,
    notice,
    settings_for,
)

HOST = Abilities(disk_limit=False, pids=64, userns=True)


def settings(**extra_specs: str) -> Settings:
    """Return the settings of a flavor with extra specs ``docker:*``."""
    specs = {f"docker:{name}": value for name, value in extra_specs.items()}
    return settings_for(Flavor(1, 64, 1, extra_specs=specs), HOST)


@pytest.mark.parametrize(
    ("extra_specs", "tags"),
    [
        ({}, {"docker_profile=baseline"}),
        ({"profile": "restricted"}, {"docker_profile=restricted"}),
        (
            {"cap_add": "SYS_PTRACE,NET_ADMIN"},
            {"docker_profile=baseline", "docker_cap=NET_ADMIN", "docker_cap=SYS_PTRACE"},
        ),
        ({"cap_drop": "ALL"}, {"docker_profile=baseline"}),
    ],
)
def test_tags_name_the_profile_and_what_is_beyond_an_ordinary_servers(
    extra_specs: dict[str, str], tags: set[str]
) -> None:
    """By them a tenant sees a server's rights, and an operator finds those with many."""
    assert notice.tags(settings(**extra_specs)) == tags


def test_a_tag_is_one_that_nova_takes() -> None:
    """Sixty characters, no comma and no slash."""
    for extra_specs in ({}, {"cap_add": "NET_ADMIN", "profile": "system"}):
        for tag in notice.tags(settings(**extra_specs)):
            assert len(tag) <= 60
            assert not {",", "/"} & {*tag}


def test_words_say_each_right_with_its_source_and_reason() -> None:
    """One line each, as the policy explains it."""
    given = settings(cap_add="NET_ADMIN")
    lines = notice.words(given).splitlines()
    assert lines[0] == notice.TITLE
    assert len(lines) == len(given.explanations) + 1
    (granted,) = [each for each in lines if each.startswith("capability: NET_ADMIN ")]
    assert "docker:cap_add" in granted
    assert "privileged: no (always: there is no such mode)" in lines
