"""Tables of the diffusion problem beside the main one: one module each."""
