"""Tables of the segmentation problem beside the main one."""
