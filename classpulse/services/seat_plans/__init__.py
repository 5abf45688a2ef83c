"""Seat plans."""
