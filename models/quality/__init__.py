"""What is wrong with a piece of catalogue text, and how sure we are of it."""
