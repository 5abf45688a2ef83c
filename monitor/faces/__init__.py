"""Attributes of one face: quality, expression, head pose and eyes.

In: a frame and its faces. Out: ``FaceAttributes``, or the ``UnreadableReason`` of a face without an
expression.
"""
