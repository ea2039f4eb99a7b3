# SPDX-License-Identifier: Apache-2.0
from novadocker.virt.docker.archive import Platform


def test_processors_have_the_names_that_images_use() -> None:
    """The kernel says x86_64 where an image says amd64; unknown ones keep their name."""
    assert str(Platform.of_machine("x86_64")) == "linux/amd64"
    assert Platform.of_machine("aarch64").architecture == "arm64"
    assert Platform.of_machine("novel").architecture == "novel"
    assert Platform.of_host().os == "linux"
