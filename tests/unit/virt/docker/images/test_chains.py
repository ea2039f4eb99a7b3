# SPDX-License-Identifier: Apache-2.0
from typing import Any

from novadocker.virt.docker.engine import Image
from novadocker.virt.docker.images.chains import Chains, chain_ids

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


class Engine:
    """Has images, and counts how often it is asked what one is."""

    def __init__(self, *images: tuple[str, ...]) -> None:
        self.images = {f"id{number}": layers for number, layers in enumerate(images)}
        self.asked = 0

    def image_ids(self) -> set[str]:
        """List them."""
        return set(self.images)

    def find_image(self, image_id: str) -> Image | None:
        """Tell of one."""
        self.asked += 1
        return Image(id=image_id, layers=self.images[image_id])


def chains(*images: tuple[str, ...]) -> Chains:
    """Return what is tested."""
    engine: Any = Engine(*images)
    return Chains(engine)


def test_a_chain_is_what_the_specification_says() -> None:
    """The lowest is its own digest; the others are of the chain below and the layer."""
    assert chain_ids([]) == []
    assert chain_ids([A]) == [A]
    # Taken with: printf '%s %s' sha256:aa... sha256:bb... | sha256sum
    assert chain_ids([A, B]) == [
        A,
        "sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c",
    ]


def test_layers_are_known_from_the_lowest_up() -> None:
    """A layer on another one is another file system."""
    known = chains((A, B), (C,)).known
    assert [known(layers) for layers in ([A], [A, B], [A, B, C], [A, C], [B], [C, A], [])] == [
        1,
        2,
        2,
        1,
        0,
        1,
        0,
    ]


def test_an_image_is_looked_at_once() -> None:
    """What an id stands for does not change; what is gone counts no more."""
    engine: Any = Engine((A, B))
    known = Chains(engine)
    assert known.known([A]) == known.known([A]) == 1
    assert engine.asked == 1
    engine.images.clear()
    assert known.known([A]) == 0
