"""How well a film was followed, against what is known of it."""
