"""Where processes are forked from one that has imported what they need, so that each of them need not."""

import sys

FORKS = sys.platform == "linux"
"""Whether a process may be forked from one that has imported much; elsewhere that is not safe."""

TRAINING = ("sklearn.datasets", "sklearn.model_selection", "torch._dynamo")
"""What training imports when it is first needed: for digits and their split, and for the first optimizer."""
