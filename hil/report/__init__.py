"""Figures for people: tables for a terminal, one self-contained HTML page with plots, the same numbers as JSON."""
