"""The stages of the pipeline, in order: camera, detection, tile layout, tracking, attributes, liveness,
seating, result.

In: a ``FrameContext`` with a frame. Out: the same context with the fields of the stage filled in. A frame
visits each stage once; a stage may end its analysis (``FrameContext.reject``).
"""
