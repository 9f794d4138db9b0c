"""The command ``spikewatt synth``."""
