"""What the numbers above the columns of the tables mean."""

TERMS = {
    "RMSE (photons)": "root of the mean squared error of a pixel",
    "success": "share of the images that got an answer",
    "s per image": "seconds that one answer takes on one thread",
}
