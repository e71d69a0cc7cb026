"""The wire: bytes in, events out. No serial, no threads, no clock in any room below this one."""
