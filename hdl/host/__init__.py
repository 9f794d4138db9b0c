"""The board's end of the serial link: from two pins to the streams of a core."""
