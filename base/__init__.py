"""What every floor stands on: errors, cache, processes, files, interrupts."""
