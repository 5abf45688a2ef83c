"""Inference: a video frame and face keypoints in, crops and expression probabilities out. LiteRT, no
TensorFlow."""
