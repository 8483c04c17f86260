"""The steps of the straight line, one concern a file; they never import each other."""
