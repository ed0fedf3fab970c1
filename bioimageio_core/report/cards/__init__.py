"""Cards: what a resource, a model or a validation has to show, as data; cards with a page show it in notebooks."""
