"""What a person takes away: a head as a data frame, the views as figures.

pandas and matplotlib are imported here and nowhere else, by whom they are asked for.
"""
