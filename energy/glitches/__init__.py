"""What a replay without delays leaves out, bounded."""
