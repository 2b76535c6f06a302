"""Tables of the colloids problem beside the main one: one module each."""
