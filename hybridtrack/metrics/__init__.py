"""How well tracks agree with the truth: HOTA, CLEAR, Identity, and some figures of our own, as functions on arrays.

Each family counts one sequence (``count_hota``, ``count_clear``, …). Counts of several are added, and figures are
ratios of counts: that is how TrackEval combines sequences, too.
"""
