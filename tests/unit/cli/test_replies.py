"""`relay replies`: what no rule understands, where it was said, how often and when last."""

import json

from relay.cli.replies import print_replies
from relay.core.words import Stage
from relay.store.ports.riddles import Riddle
from tests.fakes.reading import MINUTE, NOON
from tests.unit.cli.drawing import NOW, answer, drawn

RIDDLE = Riddle("lab", Stage.MAIL, 450, "quota of the moon reached for <address>", 12, NOON - 60 * MINUTE, NOON)


def test_replies_are_listed_with_how_often_they_came(desk):
    desk.relay.riddles.riddles = [RIDDLE]
    items = answer(desk.relay, "replies")["items"]
    assert drawn(lambda console: print_replies(console, items, NOW)) == (
        "PROVIDER STAGE TIMES LAST REPLY\n"
        "lab      mail     12   8m 450 quota of the moon reached for <address>"
    )  # fmt: skip


def test_those_of_one_provider_are_asked_for(desk):
    desk.relay.riddles.riddles = [RIDDLE]
    assert "moon" in desk.says("replies", "--provider", "lab")
    assert desk.says("replies", "--provider", "other") == "every reply so far was understood\n"


def test_json_is_exactly_that_of_the_api(desk):
    desk.relay.riddles.riddles = [RIDDLE]
    shown = json.loads(desk.says("replies", "--json"))
    assert shown == answer(desk.relay, "replies")
    assert shown["items"][0]["count"] == 12
