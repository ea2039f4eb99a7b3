# SPDX-License-Identifier: Apache-2.0
"""Names of checkpoints and restores."""

import pytest

from novadocker.virt.docker.checkpoint import places


@pytest.mark.parametrize("name", ["", "..", "../etc", "a" * 36, "*"])
def test_what_is_no_id_of_a_server_names_no_directory(name: str) -> None:
    """Root removes what a directory's name says."""
    with pytest.raises(OSError, match="no id of a server"):
        places.directory_of(name)


@pytest.mark.parametrize("name", ["", "..", "nova-1", "a" * 63, "A" * 64])
def test_what_is_no_id_of_a_container_is_refused(name: str) -> None:
    """As for servers."""
    with pytest.raises(OSError, match="no id of a container"):
        places.refuse_container(name)
