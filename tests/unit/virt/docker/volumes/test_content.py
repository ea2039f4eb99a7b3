# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from novadocker.errors import VolumeRefused
from novadocker.virt.docker.volumes.content import HEAD, SIGNATURES, Step, Survey, decide, name_of
from novadocker.virt.docker.volumes.values import Attachment, Trust
from tests.unit.virt.docker.volumes.images import SIZE, ext4, with_signature

WANTED = Attachment("v1", "i1", "/data")
BLANK = Survey(SIZE, bytes(HEAD), blank=True)
EXT4 = Survey(SIZE, ext4(), blank=False)
NOISE = Survey(SIZE, b"\xa5" * HEAD, blank=False)


@pytest.mark.parametrize(
    ("survey", "wanted", "trust", "step"),
    [
        (BLANK, WANTED, Trust.CHECKED, Step.MAKE),
        (BLANK, WANTED, Trust.BLANK, Step.MAKE),
        (BLANK, WANTED, Trust.ANY, Step.MAKE),
        (EXT4, WANTED, Trust.CHECKED, Step.CHECK),
        (EXT4, WANTED, Trust.ANY, Step.MOUNT),
        (EXT4, replace(WANTED, made=True), Trust.BLANK, Step.CHECK),
        (EXT4, replace(WANTED, make=True), Trust.CHECKED, Step.CHECK),
        (EXT4, replace(WANTED, read_only=True), Trust.CHECKED, Step.CHECK),
        (NOISE, replace(WANTED, make=True), Trust.CHECKED, Step.MAKE),
    ],
)
def test_a_volume_is_prepared_by_what_it_holds(
    survey: Survey, wanted: Attachment, trust: Trust, step: Step
) -> None:
    """Only what is blank, or unknown and given up by its tenant, is written over."""
    assert decide(survey, wanted, trust) is step


@pytest.mark.parametrize(
    ("survey", "wanted", "trust", "word"),
    [
        (NOISE, WANTED, Trust.CHECKED, "docker_filesystem=make"),
        (NOISE, WANTED, Trust.ANY, "unknown kind"),
        (EXT4, WANTED, Trust.BLANK, "made elsewhere"),
        (BLANK, replace(WANTED, read_only=True), Trust.CHECKED, "read-only"),
        (Survey(SIZE, ext4(read_only=0x8000), blank=False), WANTED, Trust.CHECKED, "0x8000"),
        (
            Survey(SIZE, with_signature(0, b"\0")[:10], blank=False),
            WANTED,
            Trust.CHECKED,
            "nothing was changed",
        ),
    ],
)
def test_a_volume_is_refused_by_what_it_holds(
    survey: Survey, wanted: Attachment, trust: Trust, word: str
) -> None:
    """With the reason and what would be accepted."""
    with pytest.raises(VolumeRefused, match=word):
        decide(survey, wanted, trust)


@pytest.mark.parametrize(("offset", "signature", "name"), SIGNATURES)
def test_a_known_content_is_never_written_over(offset: int, signature: bytes, name: str) -> None:
    """Even if its tenant asks for a new file system."""
    head = with_signature(offset, signature)
    assert name_of(head) == name
    with pytest.raises(VolumeRefused):
        decide(Survey(SIZE, head, blank=False), replace(WANTED, make=True), Trust.CHECKED)


def test_an_old_superblock_behind_a_luks_header_is_no_file_system() -> None:
    """A volume is what its first signature says."""
    head = b"LUKS\xba\xbe" + ext4()[6:]
    with pytest.raises(VolumeRefused, match="a LUKS header"):
        decide(Survey(SIZE, head, blank=False), WANTED, Trust.ANY)
