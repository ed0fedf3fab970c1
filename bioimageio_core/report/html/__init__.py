"""Pages: templates, the code that renders them, and the base class of what notebooks show."""
