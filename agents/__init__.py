"""The order of things: one class per agent, its collaborators as fields; no client library is imported here."""
