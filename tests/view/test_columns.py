from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.view.columns import pack, unpack


@given(
    st.dictionaries(st.text(), st.integers() | st.text(), max_size=3).filter(lambda said: "columns" not in said),
    st.lists(st.floats(allow_nan=False), max_size=9),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9),
    st.binary(max_size=9),
)
def test_what_was_packed_comes_out_again(said: dict, floats: list[float], integers: list[int], content: bytes) -> None:
    columns = {"f": np.array(floats, float), "i": array("i", integers), "u": np.frombuffer(content, np.uint8)}
    again, unpacked = unpack(pack(said, columns))
    assert again == said
    assert [unpacked[name].tolist() for name in "fiu"] == [floats, integers, list(content)]


def test_every_column_begins_at_a_multiple_of_eight_bytes() -> None:
    block = pack({"a": "ü"}, {"u": np.array([7], np.uint8), "f": np.array([1.5])})
    assert block.startswith((len(block) - 4 - 16).to_bytes(4, "little"))
    assert len(block) % 8 == 0
    assert block[-16:-8] == b"\x07" + bytes(7)


def test_numbers_of_another_type_are_refused() -> None:
    with pytest.raises(KeyError):
        pack({}, {"short": np.array([1], np.int16)})
