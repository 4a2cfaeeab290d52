"""What `headrace bench` measures, each against something that runs in the same minute."""
