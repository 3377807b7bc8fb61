"""The model card: what a model is for, what it was made of, how good it is, where it fails.

Mitchell et al. (2019), "Model cards for model reporting".
"""
