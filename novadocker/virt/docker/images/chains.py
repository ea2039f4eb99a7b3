# SPDX-License-Identifier: Apache-2.0
"""Layers of an engine, each identified together with all layers below.

Follows "Layer ChainID" of the OCI image specification.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import takewhile

from novadocker.virt.docker.engine import Engine


def chain_ids(diff_ids: Iterable[str]) -> list[str]:
    """Return the chain ID of each layer of an image.

    Args:
        diff_ids: digests of the layers, from the lowest up.
    """
    chains: list[str] = []
    for diff_id in diff_ids:
        chain = diff_id
        if chains:
            chain = f"sha256:{hashlib.sha256(f'{chains[-1]} {diff_id}'.encode()).hexdigest()}"
        chains.append(chain)
    return chains


class Chains:
    """Layers of one engine, asked for again after each possible change.

    Args:
        engine: Docker Engine of this host.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._layers: dict[str, tuple[str, ...]] = {}

    def images(self) -> list[tuple[str, ...]]:
        """Return the diff IDs of each image that the engine has now, from the lowest up."""
        layers = {}
        for image_id in self._engine.image_ids():
            known = self._layers.get(image_id)
            if known is None:
                image = self._engine.find_image(image_id)
                known = image.layers if image else ()
            layers[image_id] = known
        # What an id stands for never changes; only what is gone is forgotten.
        self._layers = layers
        return [each for each in layers.values() if each]

    def known(self, diff_ids: Sequence[str]) -> int:
        """Say how many of an image's layers the engine has.

        Args:
            diff_ids: digests of the image's layers, from the lowest up.

        Returns:
            The number of the lowest layers that it has.
        """
        has = {chain for image in self.images() for chain in chain_ids(image)}
        return sum(1 for _ in takewhile(has.__contains__, chain_ids(diff_ids)))
