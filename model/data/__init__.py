"""Data sets: files in one of four formats in, ``Faces`` with labels, votes and splits out; duplicates,
statistics."""
