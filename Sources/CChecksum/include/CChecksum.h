#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, going on from `previous` (0 at the beginning).
/// Uses the processor's instruction where it has one, found out when the program starts.
uint32_t gr_crc32c(uint32_t previous, const void *bytes, size_t length);

/// The same by tables alone; public so that tests compare the two.
uint32_t gr_crc32c_portable(uint32_t previous, const void *bytes, size_t length);

/// 1 where `gr_crc32c` uses the processor's instruction, else 0.
int gr_crc32c_accelerated(void);
