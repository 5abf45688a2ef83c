"""Evaluation: analysed frames and stored sessions in, scores against the ground truth of a video out."""
