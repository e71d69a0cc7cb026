"""What a run leaves behind, counted in bounded memory while its arrivals pass."""
