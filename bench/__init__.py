"""Figures, not tests: what the relay does beside Postfix on the same machine in the same run."""
