"""The history of sessions and of one student, as rows of data."""
