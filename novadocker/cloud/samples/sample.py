# SPDX-License-Identifier: Apache-2.0
"""Sample image: a root file system, made once, and the archive of ``docker save``."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker

from novadocker.cloud.machine import lock

CACHE = Path("/var/cache/novadocker/samples")
_PATIENCE = 300


@dataclass(frozen=True)
class Sample:
    """Sample image.

    Args:
        name: the image's, and the archive's without a suffix.
        command: words for a container to run.
        recipe: the file that says what is in it; a change of it makes the image anew.
        build: writes the root file system as a tar archive to the path that it is given.
    """

    name: str
    command: tuple[str, ...]
    recipe: Path
    build: Callable[[Path], None]

    def saved(self, cache: Path, engine_url: str) -> Path:
        """Return the saved image, made unless cached.

        Args:
            cache: the directory in which it is kept.
            engine_url: the Docker Engine that imports and saves it, and keeps nothing of it.
        """
        archive = self._archive(cache)
        with lock.awaited(f"sample-{self.name}"):
            if not self._is_fresh(cache):
                root = self._root(cache)
                with _replacing(archive) as new:
                    self._import_and_save(root, new, engine_url)
                self._stamp(cache).write_text(self._key)
                root.unlink()
        return archive

    def prepare(self, cache: Path) -> Path:
        """Make and return the root file system, for which no engine is needed.

        Args:
            cache: the directory in which it is kept until it has become an image.
        """
        with lock.awaited(f"sample-{self.name}"):
            return self._root(cache)

    def _root(self, cache: Path) -> Path:
        cache.mkdir(parents=True, exist_ok=True)
        # By its key in its name, what is half made or of yesterday's recipe is never used.
        root = cache / f"{self.name}-{self._key}.root.tar"
        if not root.exists() and not self._is_fresh(cache):
            with _replacing(root) as new:
                self.build(new)
        return root

    @property
    def _key(self) -> str:
        text = json.dumps(self.command).encode() + self.recipe.read_bytes()
        return hashlib.sha256(text).hexdigest()[:16]

    def _archive(self, cache: Path) -> Path:
        return cache / f"{self.name}.tar"

    def _stamp(self, cache: Path) -> Path:
        return cache / f"{self.name}.key"

    def _is_fresh(self, cache: Path) -> bool:
        stamp = self._stamp(cache)
        made = stamp.read_text() if stamp.exists() else ""
        return made == self._key and self._archive(cache).exists()

    def _import_and_save(self, root: Path, archive: Path, engine_url: str) -> None:
        client = docker.APIClient(base_url=engine_url, version="auto", timeout=_PATIENCE)
        tag = f"novadocker-sample/{self.name}:{self._key}"
        with contextlib.closing(client):
            client.import_image(
                src=str(root),
                repository=tag.partition(":")[0],
                tag=self._key,
                changes=[f"CMD {json.dumps(self.command)}"],
            )
            try:
                with archive.open("wb") as file:
                    file.writelines(client.get_image(tag))
            finally:
                client.remove_image(tag)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    new = path.with_name(path.name + ".new")
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
