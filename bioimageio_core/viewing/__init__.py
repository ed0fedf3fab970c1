"""Images, maps and labels of any size in viewers: neuroglancer in a browser, and napari."""
