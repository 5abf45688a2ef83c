"""A simulated term: class settings and a seed in, stored sessions and their ground truth out."""
