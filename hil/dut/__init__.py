"""Devices under test that speak the text protocol of MLPerf Tiny: what they answer, how fast, and how right that is."""
