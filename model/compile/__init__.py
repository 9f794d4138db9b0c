"""A network mapped onto hardware: placement, tables, configuration words, packets."""
