"""The journal of outcomes: a file beside the store, for the time in which the store is away."""

from relay.store.outcomes.journal import OutcomeJournal, Quarantine
from relay.store.outcomes.record import read_outcome, write_outcome

__all__ = ["OutcomeJournal", "Quarantine", "read_outcome", "write_outcome"]
