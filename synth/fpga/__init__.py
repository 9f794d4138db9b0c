"""FPGAs: from Verilog to a bitstream."""
