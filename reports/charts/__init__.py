"""Charts. In: timelines and shares. Out: matplotlib figures with alternative texts, and SVG. Without
pyplot or windows."""
