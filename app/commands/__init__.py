"""One module per command of the `headrace` console script."""
