#pragma once
// Only streams are used here. Solo leaves out the parts for files, and with them the headers of the C library,
// which would come to differ from what other modules see of them.
#define Z_SOLO
#include <zlib.h>
