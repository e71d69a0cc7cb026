"""Models beside a running bench: found, loaded, taught, put onto boards, and held against what boards say."""
