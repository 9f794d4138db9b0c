"""Gate netlists: cells, nets and every name that a net has. See ``netlist``."""
