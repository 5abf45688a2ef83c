"""Where the camera points: camera motion, the reference view of a seat plan, and masking of seats.

In: images. Out: the similarity from the pixels of a frame to those of the reference frame, which is the first
one.
"""
