"""What a finished run is handed on as. Nothing here is part of a run, and nothing of a run imports it."""
