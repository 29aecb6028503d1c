"""The collections of labelled replies, as values."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relay.core.reply import Reply, read_reply
from relay.core.words import Stage

HERE = Path(__file__).parent
LABELLED = HERE / "labelled.tsv"
GATHERED = HERE / "gathered.tsv"


@dataclass(frozen=True)
class Sample:
    """A reply and what it means."""

    provider: str
    stage: Stage
    reply_class: str
    side: str
    text: str
    source: str

    @property
    def reply(self) -> Reply:
        """As delivery reads it off the wire."""
        lines = self.text.split("\\n")
        return read_reply(int(lines[-1][:3]), "\n".join(line[4:] for line in lines))


def samples(path: Path) -> Iterator[Sample]:
    """Every line of a collection."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Sample(row["provider"], Stage(row["stage"]), row["class"], row["side"], row["reply"], row["source"])
