"""The rules of screening: names, lists, scores, decisions. Standard library only, no I/O."""
