"""What the page on notices promises to a receiver of webhooks is what is sent."""

import re
from pathlib import Path

from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.notice import Circumstance, Notice, NoticeType, told
from relay.core.webhooks import STEPS

PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_.-]+)`", text))


def test_every_type_and_every_key_is_on_the_page() -> None:
    body = PAGE.partition("### The body")[2].partition("## The heartbeat")[0]
    notice = Notice(id="n-1", type=NoticeType.STOPPED, at=0)
    assert {str(each) for each in NoticeType} | set(told(notice)) | set(Circumstance) <= named(body)
    assert {each for each in named(body) if "." in each} == set(NoticeType)


def test_the_pauses_are_those_of_the_code() -> None:
    units = {"s": SECOND, "min": MINUTE, "h": HOUR}
    said = PAGE.partition("tried again after ")[2].partition(", each up to")[0]
    pauses = [int(number) * units[unit] for number, unit in re.findall(r"(\d+)\s+(s|min|h)\b", said)]
    assert tuple(pauses) == STEPS
