"""What runs say: inference, mistakes, the statistics of trained layers, repeatability."""
