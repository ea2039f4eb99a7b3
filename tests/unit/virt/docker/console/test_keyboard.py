# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.console.keyboard import DEFAULT_SIZE, Keyboard, Size, common


@pytest.mark.parametrize(
    ("typed", "keys", "size"),
    [
        (b"ls -l\n", b"ls -l\n", None),
        (b"\x1b[33;101R", b"", Size(33, 101)),
        (b"a\x1b[33;101Rb", b"ab", Size(33, 101)),
        # Only the first answers our question; a program of the server may have asked too.
        (b"\x1b[33;101R\x1b[5;7R", b"\x1b[5;7R", Size(33, 101)),
        (b"\x1b[8;40;120tq", b"q", Size(40, 120)),
        (b"\x1b[33;101R\x1b[8;40;120t\x1b[8;50;130t", b"", Size(50, 130)),
        # Shift-F3, and terminals without a window.
        (b"\x1b[1;2R", b"\x1b[1;2R", None),
        (b"\x1b[0;0R", b"\x1b[0;0R", None),
        (b"\x1b[8;0;0t", b"\x1b[8;0;0t", None),
        # Other keys: up, delete, F5, alt-x, a report of the terminal's kind.
        (b"\x1b[A", b"\x1b[A", None),
        (b"\x1b[3~", b"\x1b[3~", None),
        (b"\x1b[15~", b"\x1b[15~", None),
        (b"\x1bx", b"\x1bx", None),
        (b"\x1b[?1;2c", b"\x1b[?1;2c", None),
        (b"\x1b[99999;1R", b"\x1b[99999;1R", None),
        (b"caf\xc3\xa9\x00\xff", b"caf\xc3\xa9\x00\xff", None),
    ],
)
def test_a_size_is_taken_out_of_what_is_typed(typed: bytes, keys: bytes, size: Size | None) -> None:
    """In one piece or byte by byte, the same keys come out and the same size."""
    keyboard = Keyboard()
    assert keyboard.feed(typed) == (keys, size)
    assert not keyboard.holding
    for cut in range(1, len(typed)):
        keyboard, passed, told = Keyboard(), b"", None
        for piece in (typed[:cut], typed[cut:]):
            more, newer = keyboard.feed(piece)
            passed, told = passed + more, newer or told
        assert (passed + keyboard.release(), told) == (keys, size), cut


def test_a_key_that_may_begin_an_answer_is_let_go() -> None:
    """Escape alone is a key of its own, if nothing follows."""
    keyboard = Keyboard()
    assert keyboard.feed(b":wq\x1b") == (b":wq", None)
    assert keyboard.holding
    assert keyboard.release() == b"\x1b"
    assert not keyboard.holding
    assert keyboard.feed(b"[33;101R") == (b"[33;101R", None)


def test_what_is_held_back_is_bounded() -> None:
    """An endless beginning is no beginning."""
    keyboard = Keyboard()
    keys, _ = keyboard.feed(b"\x1b[" + b"1" * 100_000)
    assert len(keys) == 100_002
    assert not keyboard.holding


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ([], DEFAULT_SIZE),
        ([Size(50, 200)], Size(50, 200)),
        ([Size(50, 80), Size(24, 200)], Size(24, 80)),
    ],
)
def test_a_common_size_fits_into_all(sizes: list[Size], fits: Size) -> None:
    """The smallest counts, in both directions."""
    assert common(sizes) == fits
