"""What a feed says of its sources."""
from __future__ import annotations

from detectors.pack import FeedSource
from streams.feeds.sources import EVERY, Sources

S = 1_000_000


def test_changes_at_once_and_a_word_every_30_s() -> None:
    """Up at first, down after its own silence, up again with the next contact."""
    sources = Sources()
    sources.know([FeedSource("a", silent=60.0)], 0)
    assert [(s.name, s.up, s.seen, s.now) for s in sources.due(0)] == [("a", True, 0, 0)]
    assert sources.due(EVERY - 1) == []
    assert [s.up for s in sources.due(EVERY)] == [True]
    assert [(s.up, s.now) for s in sources.due(60 * S + 1)] == [(False, 60 * S + 1)]
    assert sources.due(61 * S) == []
    sources.heard("a", 62 * S)
    assert [(s.up, s.seen) for s in sources.due(62 * S)] == [(True, 62 * S)]


def test_sources_come_and_go_with_the_plan() -> None:
    """A new one has its time of grace; one that left is not spoken of."""
    sources = Sources()
    sources.know([FeedSource("a"), FeedSource("b")], 0)
    sources.due(0)
    sources.know([FeedSource("b"), FeedSource("c")], 200 * S)
    assert [(s.name, s.up) for s in sources.due(200 * S)] == [("b", False), ("c", True)]


def test_a_source_may_be_silent_for_ever() -> None:
    """`silent: never` of a source whose file comes once a month."""
    sources = Sources()
    sources.know([FeedSource("a", silent=float("inf"))], 0)
    assert [s.up for s in sources.due(10**9 * S)] == [True]


def test_contact_never_goes_back() -> None:
    """Nor does a clock that was set back make a source younger than it is."""
    sources = Sources()
    sources.heard("a", 10 * S)
    sources.heard("a", 5 * S)
    assert sources.state(11 * S) == [("a", True, 10 * S)]
