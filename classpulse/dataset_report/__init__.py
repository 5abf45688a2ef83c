"""Dataset report."""
