"""Pictures of data and of scores: numbers in, matplotlib figures out."""
