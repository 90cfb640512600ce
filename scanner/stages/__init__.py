"""What a worker does with a dump: survey, sweep, prove, trace. Each takes the worker's session."""
