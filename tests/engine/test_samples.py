# SPDX-License-Identifier: Apache-2.0
"""Sample images: made once, saved by the engine, and nothing of them left in it."""

from pathlib import Path

import docker
import pytest

from novadocker.cloud.samples import SSH, WEB, Sample, programs

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that is empty at first."""
    programs.ensure()
    return tmp_path_factory.mktemp("samples")


@pytest.mark.parametrize(("sample", "small"), [(WEB, 3 * MIB), (SSH, 16 * MIB)])
def test_the_engine_saves_a_small_image_and_keeps_nothing(
    engine_socket: Path, cache: Path, sample: Sample, small: int
) -> None:
    """It is below so many bytes, loads again with its command, and was not left behind."""
    url = f"unix://{engine_socket}"
    client = docker.APIClient(base_url=url, version="auto")
    before = client.images(quiet=True, all=True)
    archive = sample.saved(cache, url)
    assert client.images(quiet=True, all=True) == before
    assert archive.stat().st_size < small
    (loaded,) = (line["stream"] for line in client.load_image(archive.read_bytes()))
    name = loaded.split()[-1]
    assert client.inspect_image(name)["Config"]["Cmd"] == list(sample.command)
    client.remove_image(name)
    client.close()


def test_a_sample_is_made_once(engine_socket: Path, cache: Path) -> None:
    """What the cache has is not made again, nor is an engine asked."""
    first = WEB.saved(cache, f"unix://{engine_socket}").stat().st_mtime_ns
    assert WEB.saved(cache, "unix:///there/is/no/engine").stat().st_mtime_ns == first
    assert [path.suffix for path in sorted(cache.glob("web*"))] == [".key", ".tar"]


def test_a_changed_recipe_makes_a_sample_anew(tmp_path: Path) -> None:
    """An image is made anew when the file with its recipe is another."""
    recipe, made = tmp_path / "recipe", []
    sample = Sample("x", ("sleep",), recipe, lambda path: made.append(path.write_bytes(b"")))
    for text in ("one", "one", "two"):
        recipe.write_text(text)
        sample.prepare(tmp_path / "cache")
    assert len(made) == 2
