"""Training: faces with labels and votes in, a trained network in a run folder out. Needs Keras."""
