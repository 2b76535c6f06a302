"""Items that are no independent draws, apart from what uses it: whoever scores need not import statistics."""

CLUSTER = "cluster"  # column of a score table: what items that are drawn together have in common, such as their scene
