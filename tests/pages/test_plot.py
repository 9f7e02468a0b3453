"""The plot of an alarm's measurements."""

from __future__ import annotations

from dataclasses import replace
from xml.dom import minidom

import pytest

from phoenix.core.chronicle import Series
from phoenix.pages.plot import plot, summary
from tests.builders import after
from tests.pages.builders import NASTY, some_evidence

SERIES = some_evidence().series[0]


def test_values_beyond_the_threshold_are_marked() -> None:
    drawn = plot(SERIES, after(6), after(2))

    assert drawn.count('class="dot over"') == 2
    assert "threshold 25" in drawn
    assert "first traffic" in drawn


def test_the_plot_says_itself_in_words() -> None:
    assert summary(SERIES).endswith("3 measurements, at most 94; 2 beyond the threshold of 25.")
    assert summary(replace(SERIES, points=())).endswith("no measurement in this time.")


@pytest.mark.parametrize("series", [replace(SERIES, threshold=None), replace(SERIES, points=()), SERIES])
def test_every_plot_is_well_formed(series: Series) -> None:
    drawn = plot(replace(series, alarm=NASTY), after(6), None)

    minidom.parseString(drawn)
    assert "<script" not in drawn
