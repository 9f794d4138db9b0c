"""When things happen in gates: loads, slews, static timing, clockless paths."""
