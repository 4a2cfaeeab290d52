"""The checks of `headrace doctor`, a module for each thing that is looked at."""
