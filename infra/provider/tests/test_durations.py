"""Durations as Go writes them."""

import pytest
from galewatch_docker import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("", 0), ("500ms", 0.5), ("10s", 10), ("1m0s", 60), ("1m30s", 90), ("1.5h", 5400)],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert seconds == durations.seconds(text)


@pytest.mark.parametrize("text", ["10", "-1s", "1 s", "s", "1d", "1s!"])
def test_anything_else_is_refused_with_the_value(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration") as caught:
        durations.nanoseconds(text)
    assert repr(text) in str(caught.value)
