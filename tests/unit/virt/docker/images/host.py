# SPDX-License-Identifier: Apache-2.0
"""A host whose engine has the classic store, and the Glance that its images come from."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nova.objects.image_meta import ImageMeta

from novadocker.archive import Platform
from novadocker.errors import EngineError
from novadocker.virt.docker.engine import Image
from novadocker.virt.docker.images import Images, PartialLoading, Provenance
from novadocker.virt.docker.images.chains import chain_ids
from tests.support.doubles.glance_double import ADMIN, ALICE, Glance

KIB = 1024


class Engine:
    """An engine with the classic store, which looks at no layer whose chain it has."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.sent: list[list[str]] = []
        self.laid: list[str] = []
        self.before_load: Callable[[], None] = lambda: None
        self.by_manifest = False

    def image_ids(self) -> set[str]:
        """List images."""
        return {image.id for image in self.images.values()}

    def find_image(self, name: str) -> Image | None:
        """Look one up."""
        ids = {image.id: image for image in self.images.values()}
        return self.images.get(name) or ids.get(name)

    def image_tags(self, prefix: str) -> list[str]:
        """List names."""
        return [tag for tag in self.images if tag.startswith(prefix)]

    def remove_image(self, tag: str) -> None:
        """Take one away."""
        self.images.pop(tag, None)

    def labels_by_name(self, label: str) -> dict[str, dict[str, str]]:
        """Run nothing."""
        return {}

    def import_layer(self, chunks: Iterable[bytes], tag: str) -> None:
        """Unpack a layer."""
        digest = f"sha256:{hashlib.sha256(b''.join(chunks)).hexdigest()}"
        self.laid.append(tag)
        self.images[tag] = Image(id=f"imported-{digest}", layers=(digest,))

    def load_image(self, chunks: Iterable[bytes]) -> None:
        """Load an archive."""
        members = {}
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            members = {name: tar.extractfile(name).read() for name in tar.getnames()}
        self.before_load()
        (manifest,) = json.loads(members["manifest.json"])
        config = members[manifest["Config"]]
        layers = tuple(json.loads(config)["rootfs"]["diff_ids"])
        has = {chain for image in self.images.values() for chain in chain_ids(image.layers)}
        sent = [name for name in manifest["Layers"] if name in members]
        for chain, name in zip(chain_ids(layers), manifest["Layers"], strict=True):
            if chain not in has and name not in members:
                raise EngineError(action="load an image", reason=f"{name}: no such file")
        self.sent.append(sent)
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        self.images[manifest["RepoTags"][0]] = Image(
            id="sha256:of-a-manifest" if self.by_manifest else digest, layers=layers
        )


@dataclass
class Site:
    """A host, Glance, and an image that the host has loaded."""

    directory: Path
    make: Any
    engine: Engine = field(default_factory=Engine)
    glance: Glance = field(default_factory=Glance)

    def __post_init__(self) -> None:
        self.base = self.make.layer(b"b" * 400 * KIB)
        self.images = self.restarted()
        self.first = self.glance.add(self.archive(self.base, self.make.layer(b"1")))

    def restarted(self) -> Images:
        """Return the driver's side, anew."""
        glance: Any = self.glance
        engine: Any = self.engine
        parts = PartialLoading(glance, Provenance(self.directory))
        return Images(engine, glance, Platform("amd64"), parts)

    def archive(self, *layers: bytes, **changes: Any) -> bytes:
        """Return an image."""
        content: bytes = self.make.old_style(*layers, **changes).tar()
        return content

    def second(self, base: bytes | None = None, owner: str = ALICE, **account: Any) -> str:
        """Upload an image on the same base; or one that says so, and has other bytes."""
        top = self.make.layer(b"2")
        config = self.make.config([self.make.sha256(layer) for layer in (self.base, top)])
        data = self.archive(base or self.base, top, config=config)
        return self.glance.add(data, owner, **account)

    def ensure(self, image: str, user: str = ALICE, images: Images | None = None) -> Image:
        """Boot an image, as far as images go."""
        context = SimpleNamespace(user=user, is_admin=user == ADMIN)
        stored = self.glance.images[image]
        meta = ImageMeta.from_dict(
            {"id": image, "container_format": "docker", "checksum": stored.checksum}
        )
        return (images or self.images).ensure(context, meta)

    def has(self, image: str) -> bool:
        """Say whether the engine has an image."""
        return any(f"/{image}:" in tag for tag in self.engine.images)
