# SPDX-License-Identifier: Apache-2.0
"""Builders of saved images, in each form that tools write."""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any


def sha256(content: bytes) -> str:
    """Return a digest in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def encoded(value: Any) -> bytes:
    """Return JSON, unless the test has its own bytes."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@dataclass
class Archive:
    """A tar in the making: members in order, each of which a test may change."""

    members: dict[str, bytes | tarfile.TarInfo] = field(default_factory=dict)
    format: int = tarfile.PAX_FORMAT

    def tar(self) -> bytes:
        """Return the archive's bytes."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=self.format) as tar:
            for name, content in self.members.items():
                if isinstance(content, tarfile.TarInfo):
                    tar.addfile(content)
                    continue
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            end = tar.offset
        # Go's writer, which Docker uses, does not fill up to a record of twenty blocks.
        return buffer.getvalue()[: end + 1024]


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """Return a link to another member."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


class SavedImages:
    """Builders for the forms of saved images."""

    sha256 = staticmethod(sha256)
    link = staticmethod(link)
    Archive = Archive

    def layer(self, content: bytes = b"hello\n") -> bytes:
        """Return a layer with one file."""
        return Archive({"etc/motd": content}).tar()

    def config(self, diff_ids: list[str], **changes: Any) -> bytes:
        """Return an image's config, with changes to its top level."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/sh"], "Labels": {"a": "1", "A": "2"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hex_}" for hex_ in diff_ids]},
        }
        return encoded(config | changes)

    def old_style(self, *layers: bytes, config: bytes | None = None, **manifest: Any) -> Archive:
        """Write the form of Docker up to 24; a repeated layer is a symbolic link."""
        config = self.config([sha256(layer) for layer in layers]) if config is None else config
        archive, seen, paths = Archive(), {}, []
        for number, layer in enumerate(layers):
            v1_id = sha256(b"%d" % number)
            paths.append(f"{v1_id}/layer.tar")
            directory = tarfile.TarInfo(v1_id)
            directory.type = tarfile.DIRTYPE
            archive.members[v1_id] = directory
            archive.members[f"{v1_id}/VERSION"] = b"1.0"
            archive.members[f"{v1_id}/json"] = encoded({"id": v1_id})
            first = seen.setdefault(layer, v1_id)
            archive.members[paths[-1]] = (
                layer if first == v1_id else link(paths[-1], f"../{first}/layer.tar")
            )
        name = f"{sha256(config)}.json"
        entry = {"Config": name, "RepoTags": ["someone/elses:latest"], "Layers": paths} | manifest
        archive.members[name] = config
        archive.members["manifest.json"] = encoded([entry])
        archive.members["repositories"] = encoded({"someone/elses": {"latest": "0"}})
        return archive

    def new_style(self, *layers: bytes, config: bytes | None = None) -> Archive:
        """Write the form of Docker from 25: an OCI layout with a manifest.json."""
        archive = self.oci(*layers, config=config)
        blobs = [name for name in archive.members if name.startswith("blobs/")]
        archive.members["manifest.json"] = encoded(
            [{"Config": blobs[-2], "RepoTags": None, "Layers": blobs[: len(layers)]}]
        )
        return archive

    def oci(self, *layers: bytes, config: bytes | None = None, **descriptor: Any) -> Archive:
        """As ``skopeo copy ... oci-archive:`` writes it."""
        config = self.config([sha256(layer) for layer in layers]) if config is None else config
        oci = "application/vnd.oci.image"
        manifest = encoded(
            {
                "schemaVersion": 2,
                "config": self._descriptor(f"{oci}.config.v1+json", config),
                "layers": [self._descriptor(f"{oci}.layer.v1.tar", layer) for layer in layers],
            }
        )
        blobs = {f"blobs/sha256/{sha256(blob)}": blob for blob in (*layers, config, manifest)}
        entry = self._descriptor(f"{oci}.manifest.v1+json", manifest) | descriptor
        others = {
            "index.json": encoded({"schemaVersion": 2, "manifests": [entry]}),
            "oci-layout": encoded({"imageLayoutVersion": "1.0.0"}),
        }
        return Archive(blobs | others)

    def _descriptor(self, media_type: str, blob: bytes) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": f"sha256:{sha256(blob)}", "size": len(blob)}
