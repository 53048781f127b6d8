# cython: language_level=3, boundscheck=False, wraparound=False
"""The thin face of the forwarding core: commands in, events out, nothing decided. Documented in `_native.pyi`."""

import ipaddress
from enum import IntEnum

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT64_MAX, int16_t, int64_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset, strlen

import os
import secrets
import socket as _socket

# One module, so that a call from one object to another costs nothing; a file for each object.
include "declarations.pxi"
include "addresses.pxi"
include "engine.pxi"
include "connection.pxi"
include "track.pxi"
include "sink.pxi"
