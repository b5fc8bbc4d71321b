"""Normalization layers: what they compute, and what they do to training."""
