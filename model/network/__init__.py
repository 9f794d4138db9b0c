"""What a network is: populations, connections, encoder, readout, its file, and the fair pair."""
