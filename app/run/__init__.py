"""`headrace run`: servers, worker and look-ups as child processes, a log replayed, and what came of it."""
