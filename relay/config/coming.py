"""What a valid relay.yaml may name and this relay does not do yet.

Law: nothing that protects is left out silently: `check` warns of it at its place, and `serve` refuses to start on it.
"""

from collections.abc import Iterator

from relay.config.service import ServiceConfig

Keys = tuple[str | int, ...]


def coming(config: ServiceConfig) -> Iterator[tuple[Keys, str]]:
    """The keys concerned, with a sentence each."""
    yield from ()
