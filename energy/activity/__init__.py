"""Which net toggled when: waveforms, SAIF, matching, compiling, replay, checks."""
