"""Documents: the papers and pictures of products, lots and pieces, kept by their content, with versions and validity."""
