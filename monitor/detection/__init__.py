"""Faces in one picture."""
