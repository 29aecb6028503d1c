"""Segment files: where message bodies lie, encrypted, until their last delivery is final."""

from relay.store.segments.port import Place, Segments

__all__ = ["Place", "Segments"]
