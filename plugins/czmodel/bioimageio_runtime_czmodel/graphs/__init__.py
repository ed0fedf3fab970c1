"""Surgery on ONNX graphs: other versions of the operators, and ops of descriptions as nodes."""
