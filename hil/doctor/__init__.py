"""What this computer, a cable and an adapter can do: measured, with what to do about every finding."""
