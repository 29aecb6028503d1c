"""Moving a store to another place: rows, bodies, events, numbers and the limiter's memory, counted on both sides.

Law: one of the two places can be started at any moment at most, and a move that was broken off goes on where it was.
"""
