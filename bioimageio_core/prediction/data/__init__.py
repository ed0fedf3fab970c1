"""The user's images and whole tensors, bound to the inputs of a model and read region by region."""
