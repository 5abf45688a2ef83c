"""Face detection.

In: frames. Out: a list of ``Face`` per frame, with boxes and keypoints in pixels of the frame, and the faces
that were too small to be detected.
"""
