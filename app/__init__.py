"""The outside world: wiring, adapters and commands. The only folder that knows Faust, Redis and the environment."""
