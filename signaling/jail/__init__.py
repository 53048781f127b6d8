"""The child process in which everything is decoded that a stranger has sent: documents, pictures, drawings.

`python -m signaling.jail` reads one file from standard input and writes PNG and JPEG pictures to standard output. By
then it has given up whatever it does not need for that: see `confine.py`. `services/documents.py` starts it, and trusts
nothing that it says beyond the bounds given there.
"""
