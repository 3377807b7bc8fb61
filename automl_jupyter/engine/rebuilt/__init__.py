"""The best single pipeline of a model, told as plain code that makes its row of the leaderboard again.

:func:`automl_jupyter.engine.rebuilt.recipe.recipe_of` collects what has to be known, `columns` and `training`
write it as cells, `written` makes a notebook or a script of the cells, with the data beside it.
"""
