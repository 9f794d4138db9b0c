"""Networks on a real board, or a simulated one, over a serial port."""
