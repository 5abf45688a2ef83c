"""Settings of Classpulse: ``config.yaml`` in, validated immutable settings (``Config``) out.

``schema`` composes the sections, ``validation`` words the errors, ``settings`` reads the file and
``template`` writes it.
"""
