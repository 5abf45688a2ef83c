"""Corrections of identity assignments: corrections and recorded data go in, data of persons comes out."""
