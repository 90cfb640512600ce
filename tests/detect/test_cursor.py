"""Fields that follow one another: nothing is read behind the end, and nothing is lost by trying."""

import pytest

from scanner.detect.cursor import Cursor, Mismatch, within


def test_fields_are_read_one_behind_the_other() -> None:
    """Numbers have their most significant byte first; what is counted follows its count."""
    fields = Cursor(bytes.fromhex("ff 0102 0003 616263 64"), 1)
    assert fields.number(2) == 0x0102
    assert fields.counted(2) == b"abc"
    assert fields.raw(1) == b"d"
    assert fields.raw(0) == b""
    assert fields.number(0) == 0
    assert fields.at == len(fields.data)


@pytest.mark.parametrize("size", [1, 2, 1 << 32, 1 << 64])
def test_nothing_is_read_behind_the_end(size: int) -> None:
    """What would end behind the bytes is refused, however long, and the cursor stays."""
    fields = Cursor(b"abc", 3)
    with pytest.raises(Mismatch):
        fields.raw(size)
    assert fields.at == 3


def test_a_count_has_a_bound() -> None:
    """More bytes than a field may have are refused, though they stand there."""
    assert Cursor(b"\x03abc").counted(1, 3) == b"abc"
    with pytest.raises(Mismatch):
        Cursor(b"\x03abc").counted(1, 2)
    with pytest.raises(Mismatch):
        Cursor(b"\xff\xff\xff\xffabc").counted(4)
    assert within(2, 2) == 2


def test_a_mismatch_carries_nothing() -> None:
    """What is refused may be a secret."""
    with pytest.raises(Mismatch) as caught:
        Cursor(b"secret").counted(1)
    assert caught.value.args == ()
