"""The expression model: FER2013 and FER+ faces in, an exported classifier of seven expressions out."""
