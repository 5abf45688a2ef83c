"""Assignment of tracks to students: by seat and appearance in a room, by tile in a call; seat plans and
masking.

In: tracks, and the roster and seat plan of a class. Out: the student of each track, and the setup of a
session.
"""
