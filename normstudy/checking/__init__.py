"""What a network's normalization layers compute, measured from outside: somebody's own `model.py` is checked by it."""
