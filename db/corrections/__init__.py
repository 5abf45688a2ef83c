"""Corrections of identity assignments: corrections and recorded data in, data by person out."""
