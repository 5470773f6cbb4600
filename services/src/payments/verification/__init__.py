"""Proves that no money is lost or doubled and that all books say the same. Reads only, as its own role."""
