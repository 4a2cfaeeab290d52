"""The HTTP process: look-ups, probes, metrics and the console page, on Redis alone."""
