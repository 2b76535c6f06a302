"""Tables of the fusion problem beside the main one."""
