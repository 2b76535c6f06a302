"""What the numbers above the columns of the tables mean."""

TERMS = {
    "RMSE of ln D": "root of the mean squared error of ln D, that is about the relative error of D: 0.1 is 10 %",
    "bias of ln D": "mean error of ln D: at −0.1 answers are 10 % too small",
    "SD of ln D": "scatter of the errors of ln D, without their mean",
    "SD of the estimate / D": "scatter of the answers for items of one D, over that D",
    "MAE (µm²/s)": "mean absolute error of D, in which the largest D of the test grid count most",
    "RMSE (µm²/s)": "root of the mean squared error of D, in which these count even more",
    "coverage of 95 %": "share of the items whose D lies within the 95 % interval that the method itself states; with "
    "less than 0.95 a method is too sure of itself, with more too unsure",
    "success": "share of the items that got a finite answer",
    "s per item": "seconds that one answer takes on one thread",
}
