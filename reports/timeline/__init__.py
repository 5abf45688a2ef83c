"""Time series. In: stored bins, gaps and tracks of a session. Out: NumPy series per student and for the
class, on one grid of bins, with medians and change points. Pure."""
