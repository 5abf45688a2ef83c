"""Seat plans: CSV file, drawings, and proposing and storing a plan."""
