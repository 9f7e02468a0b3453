"""Calls are noted for the block that they are made in, whichever thread makes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime

from phoenix.calls import Noted, counted_reads, note_call, noted_calls
from tests.builders import NOON


def now() -> datetime:
    return NOON


def test_a_call_belongs_to_the_innermost_block_around_it() -> None:
    with noted_calls(now) as outer:
        note_call("ec2:DescribeImages")
        with noted_calls(now) as inner:
            note_call("elbv2:ModifyListener", "Throttling")
    note_call("ec2:RunInstances")

    assert outer == [Noted(NOON, "ec2:DescribeImages")]
    assert inner == [Noted(NOON, "elbv2:ModifyListener", "Throttling")]


def test_a_thread_with_the_same_context_notes_into_the_same_list() -> None:
    with noted_calls(now) as calls, ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, note_call, "ec2:DescribeImages").result()

    assert [call.name for call in calls] == ["ec2:DescribeImages"]


def test_reads_are_told_from_writes_by_their_names() -> None:
    names = ("ec2:DescribeImages", "cloudwatch:GetMetricData", "elbv2:ModifyRule", "autoscaling:EnterStandby")
    calls = [Noted(NOON, name) for name in names]

    assert counted_reads(calls) == {"ec2:DescribeImages": 1, "cloudwatch:GetMetricData": 1}
