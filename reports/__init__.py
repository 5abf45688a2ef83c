"""Stored timelines in, a report out."""
