"""Evaluation: probabilities and labels in, scores out; also statistics and examples of data sets."""
