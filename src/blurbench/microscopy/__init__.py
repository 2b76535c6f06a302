"""What all problems know of microscopes: cameras, point-spread functions, recordings and random numbers."""
