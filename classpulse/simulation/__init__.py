"""Synthetic classes with known ground truth: settings and a seed in, videos, ground truth and stored terms
out."""
