"""What the relay says about itself: every metric declared once, one function per log event."""
