"""Data sets: reads files in one of four formats into ``Faces`` with labels, votes and splits; finds
duplicates, computes statistics."""
