"""What the facts of a data set mean for somebody who trusts a figure, in sentences."""
