"""What the numbers above the columns of the tables mean."""

TERMS = {
    "pixel F1": "2 × pixels found and there / (pixels found + pixels there), or Dice, of the mask of all cells",
    "pixel IoU": "pixels found and there / pixels found or there, or Jaccard, of that mask",
    "instance F1 at IoU 0.5": "harmonic mean of precision and recall of cells, right where they overlap a true one by "
    "an intersection over union of 0.5",
    "at IoU 0.5 to 0.9": "the same, mean over such thresholds",
    "error of the count": "mean absolute error of the number of cells",
    "its bias": "mean error of that number: at 2 an answer has two cells too many",
    "over the count": "absolute error of the count over the true count, mean over images",
    "Hausdorff 95 (px)": "distance between the outlines of answer and truth, its 95th percentile",
    "s per image": "seconds that one answer takes on one thread",
}
