"""Report files. In: a ``Report``. Out: HTML, PDF, CSV and JSON."""
