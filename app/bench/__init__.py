"""What `headrace bench` measures, each against something that runs in the same minute.

Only measuring lives here. The measured code does not know that it is measured.
"""
