"""Sources of frames.

In: the specification of a video file, a folder of images, a camera, a stream or an online lesson.
Out: ``Frame`` and, from live sources, ``Gap`` items in the order of their media time.
"""
