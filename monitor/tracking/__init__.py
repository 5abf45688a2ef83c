"""Faces over time: tracker, correction of ID switches, appearance model, and liveness of faces.

In: detected faces of each frame. Out: tracks, and which of them are people.
"""
