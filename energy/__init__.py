"""Joules: waveforms, replay of every gate, pricing, ledger."""
