"""The HTTP side: health, metrics, API and pages."""
