"""The store: small ports, one per concern, and their adapters; the only place that knows a database."""
