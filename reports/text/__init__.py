"""Texts for readers. In: numbers, dates, names, message IDs. Out: strings in the current language."""
