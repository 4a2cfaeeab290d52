"""How the quality model is made: examples, network, export. Only this folder needs torch (extra `export`)."""
