"""Other software that runs models: facts about each, and the rules that follow from them."""
