"""Frames from a video file, a camera, a stream or a folder of images."""
