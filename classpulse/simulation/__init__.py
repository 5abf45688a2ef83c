"""Class videos with known truth: what they all share, drawn calls, and rooms made from photographs."""
