"""blurbench: how much can be read out of a blurred, noisy microscope image, by which method."""
