"""What is wrong with a recording or its calibration, in one form."""


class RecordingError(ValueError):
    """A recording or its calibration that cannot be used."""

    def __init__(self, file, key, found, expected):
        super().__init__(f"{file}: {key}: found {found}, expected {expected}")
