"""An OTLP receiver: takes the traces of every process and shows them as JSON."""
