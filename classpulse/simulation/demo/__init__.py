"""The demo class: scripted students drawn from one portrait; scripts in, a video with ground truth out."""
