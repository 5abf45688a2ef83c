"""Sentences and tables of a report. In: a ``Report``. Out: texts in the current language."""
