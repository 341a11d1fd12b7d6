"""What others compute of the same scenes: stored numbers of TrackEval, and the way to compute them again."""
