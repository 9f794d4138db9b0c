"""A spiking network and its quantised rival, on two cores, in joules."""
