# SPDX-License-Identifier: Apache-2.0
"""A fuzzer of the archive checker: python -m tests.unit.archive.fuzz DIRECTORY.

It puts sound and hostile samples into DIRECTORY, keeps what it finds there, and runs until it
is stopped or finds bytes for which something does not hold that must. Options of libFuzzer
follow, such as -max_total_time=3600; a file in DIRECTORY's place is run alone.
"""

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["novadocker.archive"]):
    from tests.unit.archive.soundness import image_of, members_in, unpacked

from tests.support.saved_images import SavedImages
from tests.unit.archive import hostile_layers as layers
from tests.unit.archive import members, seeds

BLOCK = 512
ARCHIVE, LAYER, STREAM = b"A", b"L", b"Z"
LOOKS = {ARCHIVE: image_of, LAYER: members_in, STREAM: unpacked}


def look(data: bytes) -> None:
    """Ask about some bytes, of which the first says what they are."""
    if found := LOOKS.get(data[:1]):
        found(data[1:])


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Change an input, and put the checksums of its headers right, or nothing is looked at."""
    kind, made = data[:1], bytearray(atheris.Mutate(data[1:], most - 1))
    for at in range(0, len(made) - BLOCK + 1, BLOCK):
        if made[at + 257 : at + 262] == b"ustar" and seed % 8:
            made[at : at + BLOCK] = members.changed(bytes(made[at : at + BLOCK]), 0, b"")
    return bytes(kind + made)


def fill(directory: Path) -> None:
    """Write the samples."""
    samples = [ARCHIVE + data for data in seeds.archives(SavedImages()).values()]
    samples += [LAYER + layer + members.END for layer in layers.SOUND.values()]
    samples += [LAYER + layer + members.END for layer, _ in layers.HOSTILE.values()]
    samples += [STREAM + seeds.streamed(layer) for layer in seeds.LAYERS]
    for sample in samples:
        (directory / hashlib.sha256(sample).hexdigest()).write_bytes(sample)


def main() -> None:
    """Run it."""
    if (directory := Path(sys.argv[1])).is_dir():
        fill(directory)
    atheris.Setup(sys.argv, look, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
