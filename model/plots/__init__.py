"""Plots of data sets and evaluations: NumPy arrays in, Matplotlib figures and PNG files out."""
