# SPDX-License-Identifier: Apache-2.0
"""How much of everything an archive may hold."""

from dataclasses import dataclass

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB


@dataclass(frozen=True)
class Bounds:
    """Limits on the cost of a hostile archive.

    Attributes:
        size: bytes of the archive, once an outer gzip is undone.
        unpacked: bytes of all layers together, uncompressed.
        ratio: how many times its compressed size a gzip stream may grow to, looked at once
            it has given ``ratio_from`` bytes: short ones may be all zeros and harmless.
        ratio_from: see ``ratio``.
        members: files, directories and links of the archive.
        layers: number of layers of the image; the engine itself mounts no more.
        json: bytes of one JSON member.
        json_kept: bytes of all JSON members together: they wait in memory until the last
            member has come.
        json_depth: levels of nesting.
        name: bytes of a member's name, and of a link's target.
        extended_header: bytes of one pax or GNU long name record.
        entries: files, directories and links in all layers together.
        path: bytes of a name in a layer, and of a link's target; Linux opens no longer ones.
        depth: directories above a file in a layer.
        layer_header: as ``extended_header``, in a layer: extended attributes are in them.
        steps: small pieces of work, of less than a microsecond each, that all layers together
            may cost: eight for each member, one for each directory on a way that is not
            remembered and for each part of a link that is passed, two for each record of an
            extended header, eight for each gzip member and zstd block, sixteen for each frame.
        bytes_a_step: bytes of content that earn one step more: an image of many files has
            many bytes, whose hash costs more than to look at them.
        owner: the largest id of a user or group in a layer; engines map no more into a
            container's user namespace.
        window: bytes that a zstd stream may look back, all of which are held in memory.
        inner_window: the same for a layer in an archive that is in zstd as a whole.
    """

    size: int = 128 * GiB
    unpacked: int = 256 * GiB
    ratio: int = 200
    ratio_from: int = 64 * MiB
    members: int = 4096
    layers: int = 125
    json: int = 2 * MiB
    json_kept: int = 8 * MiB
    json_depth: int = 32
    name: int = 512
    extended_header: int = 64 * KiB
    entries: int = 1_000_000
    path: int = 4094
    depth: int = 256
    layer_header: int = MiB
    steps: int = 2_000_000
    bytes_a_step: int = 512
    owner: int = 65535
    window: int = 32 * MiB
    inner_window: int = 8 * MiB
