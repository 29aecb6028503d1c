"""How well reply rules know replies that they were not written for: `python -m bench.replies`.

Law: what only held-out replies support is taken away before these are judged, so a rule written for one text counts as
a miss.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from relay.core.classify import Context, classify
from relay.core.reasons import REASONS
from relay.core.rules import Rule, phrases, reading_of
from relay.providers import load_profiles
from tests.replies import GATHERED, LABELLED, Sample, samples

FOLDS: int = 5
SIDES: tuple[str, ...] = ("submission", "mx", "synthetic")

Contexts = Callable[[Sample], Context]
"""What a reply is judged with."""


def pieces(rule: Rule) -> list[Rule]:
    """A rule as rules of one phrase or one enhanced code each: the least that can have been written for a text."""
    if rule.text is not None:
        beside = [rule.also] if rule.also is None else [phrases(written) for written in rule.also.written]
        return [replace(rule, text=phrases(written), also=also) for written in rule.text.written for also in beside]
    if rule.enhanced:
        return [replace(rule, enhanced=frozenset({code})) for code in sorted(rule.enhanced)]
    return [rule]


def supporters(piece: Rule, found: Sequence[Sample], readings: Sequence[str]) -> frozenset[int]:
    """Which replies a piece applies to."""
    return frozenset(
        index for index, sample in enumerate(found) if piece.applies(sample.stage, sample.reply, readings[index])
    )


class Trial:
    """The rules in pieces, each with the replies that support it."""

    def __init__(self, found: Sequence[Sample]) -> None:
        self.found = found
        readings = [reading_of(sample.reply) for sample in found]
        self.generic = [(piece, supporters(piece, found, readings)) for rule in REASONS for piece in pieces(rule)]
        self.own = {
            name: [(piece, supporters(piece, found, readings)) for rule in profile.rules for piece in pieces(rule)]
            for name, profile in load_profiles().items()
        }

    def held_out(self, fold: int) -> Contexts:
        """Without what only this fold supports."""
        inside = frozenset(index for index in range(len(self.found)) if index % FOLDS == fold)

        def kept(parts: Sequence[tuple[Rule, frozenset[int]]]) -> tuple[Rule, ...]:
            return tuple(piece for piece, by in parts if not by or by - inside)

        generic = kept(self.generic)
        return lambda sample: Context(rules=kept(self.own.get(sample.provider, ())), reasons=generic)


def rights(found: Sequence[Sample], contexts: Contexts) -> dict[str, tuple[int, int]]:
    """By side: how many are judged as labelled, of how many."""
    judged = [
        (sample.side, classify(sample.stage, sample.reply, contexts(sample)).reply_class == sample.reply_class)
        for sample in found
    ]
    return {
        side: (sum(ok for where, ok in judged if where == side), sum(where == side for where, _ in judged))
        for side in SIDES
    }


def report() -> list[str]:
    """The table."""
    found = [*samples(LABELLED), *samples(GATHERED)]
    rules = {name: profile.rules for name, profile in load_profiles().items()}
    trial = Trial(found)
    folds = [rights(found[fold::FOLDS], trial.held_out(fold)) for fold in range(FOLDS)]
    held = {side: (sum(each[side][0] for each in folds), sum(each[side][1] for each in folds)) for side in SIDES}
    rows = {
        "all rules": rights(found, lambda sample: Context(rules=rules.get(sample.provider, ()))),
        "a fifth held out at a time": held,
        "without the provider's own rules": rights(found, lambda _: Context()),
        "codes alone": rights(found, lambda _: Context(reasons=())),
    }
    return [
        "| judged with | " + " | ".join(SIDES) + " | all |",
        "|---" * (len(SIDES) + 2) + "|",
        *map(row, rows.items()),
    ]


def row(line: tuple[str, dict[str, tuple[int, int]]]) -> str:
    """A line of the table."""
    name, found = line
    whole = sum(ok for ok, _ in found.values()), sum(of for _, of in found.values())
    cells = [f"{ok} of {of} ({100 * ok / of:.0f}%)" for ok, of in (*found.values(), whole)]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(report()))
