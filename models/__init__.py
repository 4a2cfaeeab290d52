"""Hold the domain types of Headrace and the mathematics on them: functions and values.

Nothing here uses the clock, the network or the environment. `inference` and `quality` open model
files and run models in threads; `export` and `training` write files for the commands that make
models; the rest neither reads nor writes files. In Faust a "model" is a record schema; here it is
what a recommender learns.
"""
