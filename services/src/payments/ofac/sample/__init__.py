"""A small sanctions list for trials; every name on it is invented."""
