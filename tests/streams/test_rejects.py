"""Rejects: kept as they came, as far as they are kept."""
from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cli.rejects import one_line
from streams.rejects import MOST, decode, encode, reject


@given(st.binary(max_size=3 * MOST) | st.text(max_size=2 * MOST).map(str.encode))
def test_the_input_comes_back_as_far_as_it_is_kept(raw: bytes) -> None:
    """Text as text, anything else as base64; what is longer than 2 kB is cut and says so."""
    row = reject(0, "http", "s", "json", "json", "line 1", "no", raw)
    back = decode(encode(row), 7)
    assert back.offset == 7 and back.bytes() == row.bytes()
    assert raw.startswith(back.bytes()) and back.cut == (len(raw) > MOST)
    assert len(back.bytes()) >= min(len(raw), MOST - 3)


def test_a_row_is_json_with_its_reason_and_place() -> None:
    """Readable without this program; flags only where true."""
    row = json.loads(encode(reject(0, "http", "s", "csv", "site", "line 3, site", "unknown", "站".encode())))
    assert row == {"at": "1970-01-01T00:00:00Z", "feed": "http", "source": "s", "decoder": "csv", "reason": "site",
                   "place": "line 3, site", "what": "unknown", "raw": "站"}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"at": 3}'])
def test_what_is_no_reject_is_a_value_error(data: bytes) -> None:
    """A foreign record in the topic must not stop `show`."""
    with pytest.raises(ValueError, match=r".*"):
        decode(data)


def test_what_came_from_outside_cannot_steer_a_terminal() -> None:
    """Control characters are written out."""
    assert one_line("a\x1b[31m\n站\u202e") == "a\\x1b[31m\\n站\\u202e"
