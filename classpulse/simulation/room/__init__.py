"""A classroom animated from a photograph: a photograph with face boxes in, a video with ground truth out."""
