"""Export: a run folder in; the LiteRT file, its metadata and the model card out."""
