"""A photograph of a class brought to life: people who bow, are hidden, leave, come back, swap seats, and a
camera that drifts. Nobody's expression is known; who is where, and who can be seen, is."""
