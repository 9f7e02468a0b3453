from __future__ import annotations

import logging
from logging.handlers import BufferingHandler

from phoenix.notifiers.log import LogNotifier, Settings
from phoenix.telemetry.logs import NEWS
from tests.notifiers.fakes import a_notice, a_scope


def test_news_are_one_line_whose_facts_cannot_pass_for_its_own() -> None:
    heard, logger = BufferingHandler(capacity=10), logging.getLogger(NEWS)
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)

    LogNotifier(Settings(), a_scope()).notify(a_notice(name="n-1", group="forged", level="x"))

    logger.removeHandler(heard)
    logger.setLevel(logging.NOTSET)
    (record,) = (vars(each) for each in heard.buffer)
    assert (record["msg"], record["group"], record["subject"], record["notice"]) == ("news", "web", "held", "n-1")
    assert record["facts"] == {"group": "forged", "level": "x"}
