"""What heads do, measured: functions from attention to numbers, each with its definition."""
