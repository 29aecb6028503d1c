"""Keys and encryption at rest; the only place that imports cryptography."""
