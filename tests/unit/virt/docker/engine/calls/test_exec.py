# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.engine.calls.exec import unframed


def frame(stream: int, text: bytes) -> bytes:
    """Return bytes as the engine sends them of a program without a terminal."""
    return bytes((stream, 0, 0, 0)) + len(text).to_bytes(4, "big") + text


@pytest.mark.parametrize(
    ("written", "output"),
    [
        (b"", b""),
        (frame(1, b"one\n"), b"one\n"),
        (frame(1, b"one\n") + frame(2, b"two\n") + frame(1, b"three"), b"one\ntwo\nthree"),
        (frame(1, b"") + frame(1, b"x"), b"x"),
        (frame(1, b"cut short")[:-4], b"cut s"),
        (frame(1, b"one") + b"\1\0\0", b"one"),
    ],
)
def test_output_and_error_come_out_of_their_frames(written: bytes, output: bytes) -> None:
    """In their order; what was cut off at the bound is no error."""
    assert unframed(written) == output
