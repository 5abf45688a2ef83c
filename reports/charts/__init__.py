"""Timelines in, matplotlib figures with their text alternatives out. Never pyplot, never a window."""
