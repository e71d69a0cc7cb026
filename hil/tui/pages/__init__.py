"""The pages of the screen, one file each, and beside each the table of its keys, which needs no screen library."""
