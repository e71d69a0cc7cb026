"""A generator of sensor readings: what nobody recorded, of a class, in a person's style, with a level of noise.

A conditional flow (rectified flow matching) over windows: `net` is the network, `fit` learns it, `sample` draws
continuous readings of any length from it, `mixing` puts them into a training, `record` into a recording.
"""
