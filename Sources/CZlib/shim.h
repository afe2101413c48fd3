#pragma once
// As in CUV: the types of the C library must look the same to every module that is imported beside this one.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <zlib.h>
