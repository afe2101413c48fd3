// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), RFC 3720 section 12.1 and appendix B.4.
//
// The instruction has a latency of three cycles and a throughput of one, so long inputs are cut into three
// streams that run side by side; their remainders are joined by tables that say what a remainder becomes after
// a given number of zero bytes.

#include "CChecksum.h"
#include <string.h>

#define POLYNOMIAL 0x82F63B78u
#define LONG_BLOCK 8192
#define SHORT_BLOCK 256

static uint32_t slicing[8][256];
static int accelerated;

static void make_slicing(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
        slicing[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++)
            slicing[slice][byte] = (slicing[slice - 1][byte] >> 8) ^ slicing[0][slicing[slice - 1][byte] & 255];
}

uint32_t gr_crc32c_portable(uint32_t previous, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint32_t crc = ~previous;
    for (; length >= 8; at += 8, length -= 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = slicing[7][low & 255] ^ slicing[6][(low >> 8) & 255] ^ slicing[5][(low >> 16) & 255]
            ^ slicing[4][low >> 24] ^ slicing[3][at[4]] ^ slicing[2][at[5]] ^ slicing[1][at[6]] ^ slicing[0][at[7]];
    }
    for (; length > 0; at++, length--) crc = (crc >> 8) ^ slicing[0][(crc ^ *at) & 255];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

static uint32_t after_long[4][256];
static uint32_t after_short[4][256];

// What each of the 32 bits of a remainder, and so any remainder, becomes after `zeros` zero bytes.
static void make_shift(uint32_t table[4][256], size_t zeros) {
    uint32_t bit_after[32];
    for (int bit = 0; bit < 32; bit++) {
        uint32_t crc = 1u << bit;
        for (size_t count = 0; count < zeros; count++) crc = (crc >> 8) ^ slicing[0][crc & 255];
        bit_after[bit] = crc;
    }
    for (int part = 0; part < 4; part++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = 0;
            for (int bit = 0; bit < 8; bit++)
                if (byte >> bit & 1) crc ^= bit_after[part * 8 + bit];
            table[part][byte] = crc;
        }
}

static inline uint32_t shift(const uint32_t table[4][256], uint32_t crc) {
    return table[0][crc & 255] ^ table[1][(crc >> 8) & 255] ^ table[2][(crc >> 16) & 255] ^ table[3][crc >> 24];
}

static inline uint64_t load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

__attribute__((target("sse4.2")))
static uint64_t three_streams(uint64_t first, const uint8_t *at, size_t block, const uint32_t table[4][256]) {
    uint64_t second = 0, third = 0;
    for (const uint8_t *end = at + block; at < end; at += 8) {
        first = _mm_crc32_u64(first, load(at));
        second = _mm_crc32_u64(second, load(at + block));
        third = _mm_crc32_u64(third, load(at + 2 * block));
    }
    first = shift(table, (uint32_t)first) ^ second;
    return shift(table, (uint32_t)first) ^ third;
}

__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t previous, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint64_t crc = (uint32_t)~previous;
    for (; length >= 3 * LONG_BLOCK; at += 3 * LONG_BLOCK, length -= 3 * LONG_BLOCK)
        crc = three_streams(crc, at, LONG_BLOCK, after_long);
    for (; length >= 3 * SHORT_BLOCK; at += 3 * SHORT_BLOCK, length -= 3 * SHORT_BLOCK)
        crc = three_streams(crc, at, SHORT_BLOCK, after_short);
    for (; length >= 8; at += 8, length -= 8) crc = _mm_crc32_u64(crc, load(at));
    uint32_t rest = (uint32_t)crc;
    for (; length > 0; at++, length--) rest = _mm_crc32_u8(rest, *at);
    return ~rest;
}
#endif

// Runs before main, on one thread, so the tables need no lock.
__attribute__((constructor))
static void prepare(void) {
    make_slicing();
#if defined(__x86_64__)
    make_shift(after_long, LONG_BLOCK);
    make_shift(after_short, SHORT_BLOCK);
    accelerated = __builtin_cpu_supports("sse4.2") != 0;
#endif
}

uint32_t gr_crc32c(uint32_t previous, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (accelerated) return crc32c_sse42(previous, bytes, length);
#endif
    return gr_crc32c_portable(previous, bytes, length);
}

int gr_crc32c_accelerated(void) { return accelerated; }
