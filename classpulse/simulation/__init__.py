"""Class videos with known truth: what every simulated class shares, and rooms made from photographs."""
