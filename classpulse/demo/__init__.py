"""The built-in class: a film of a class that does not exist, and the truth about it.

Six Grace Hoppers (matplotlib's public-domain portrait), each warped along her face landmarks to a script of
her own. ``write_demo_video`` makes a video like any other; the ``DemoClass`` it returns knows what is in it.
"""

from classpulse.demo.errors import DemoError
from classpulse.demo.film import DemoClass, write_demo_video
from classpulse.simulation.truth import Truth, read_truth

__all__ = ["DemoClass", "DemoError", "Truth", "read_truth", "write_demo_video"]
