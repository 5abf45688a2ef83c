"""Loaders: one file format each (contact sheet, image folders, CSV, NumPy archive) in, ``Faces`` out."""
