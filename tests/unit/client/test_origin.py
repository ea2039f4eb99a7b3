# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.client.origin import Reference, SavedFile, StandardInput, parse


@pytest.mark.parametrize(
    ("word", "origin"),
    [
        ("-", StandardInput()),
        ("web.tar", SavedFile("web.tar")),
        ("./-", SavedFile("./-")),
        ("docker://web:1", Reference("web:1")),
    ],
)
def test_a_word_says_where_the_archive_is(word: str, origin: object) -> None:
    """A path, a dash, or what an engine or registry calls it."""
    assert parse(word) == origin


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("-", ""),
        ("/images/web.tar", "web"),
        ("web-1.2.tar.gz", "web-1.2"),
        ("web.tgz", "web"),
        ("web.oci.tar", "web"),
        ("web.TAR", "web"),
        (".tar", ".tar"),
        ("web", "web"),
        ("docker://web", "web"),
        ("docker://web:latest", "web"),
        ("docker://registry.example/team/web:1.2", "web:1.2"),
        ("docker://localhost:5000/web@sha256:00", "web"),
    ],
)
def test_an_image_is_called_like_what_it_comes_from(word: str, name: str) -> None:
    """Nobody has to say the name twice."""
    assert parse(word).name == name


@pytest.mark.parametrize(
    ("text", "registry", "loopback"),
    [
        ("web", False, False),
        ("team/web:1", False, False),
        ("web:5000", False, False),
        ("docker.io/library/web", True, False),
        ("registry:5000/web", True, False),
        ("localhost/web", True, True),
        ("localhost:5000/web", True, True),
        ("127.0.0.1:5000/team/web", True, True),
    ],
)
def test_a_registry_is_told_by_dockers_rule(text: str, registry: bool, loopback: bool) -> None:
    """The first part is a host if it has a dot or a port, or is localhost."""
    origin = Reference(text)
    assert (origin.names_registry, origin.is_on_loopback) == (registry, loopback)
