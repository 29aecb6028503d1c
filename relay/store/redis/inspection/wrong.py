"""What a look at a store on Redis finds: one thing that is not as the rows say.

Law: what is told of it is a number, and nobody's name.
"""

from dataclasses import dataclass, field

Commands = tuple[tuple[bytes | str | int, ...], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is not as the rows say. Two looks find the same if it is no change under way."""

    kind: str
    """What it is, without a number: those of one kind are told together."""
    where: str
    """Its number, as people may read it."""
    mend: Commands = field(default=(), compare=False)
    """What puts it right; none: `is_queue`, or nothing does."""
    is_queue: bool = False
    """The queues have to be made anew."""
    key: str = field(default="", repr=False)
    """What tells it from others of the same number."""

    @property
    def can_be_mended(self) -> bool:
        """Whether rows say how it should be."""
        return bool(self.mend) or self.is_queue
