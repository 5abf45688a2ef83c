"""A class over weeks of lectures without a film: who did what, and what would have been recorded of it."""
