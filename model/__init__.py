"""Faces in, expressions out."""
