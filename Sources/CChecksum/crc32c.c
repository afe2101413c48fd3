// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), RFC 3720 section 12.1 and appendix B.4.
//
// The instruction has a latency of three cycles and a throughput of one, so an input is cut into three streams that
// run side by side. Their remainders are joined by a multiplication without carry: what a remainder becomes after a
// number of zero bytes is its product with a power of x, modulo the polynomial.

#include "CChecksum.h"
#include <string.h>

#define POLYNOMIAL 0x82F63B78u
// Words of a stream at most, and bytes of an input that is worth cutting.
#define LONGEST_STREAM 512
#define SHORTEST_CUT 144

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
#include <wmmintrin.h>

// For n words of eight zero bytes: x^(64 n - 33) modulo the polynomial, reflected. The instruction multiplies by x^32
// when it takes the product in, and the product of two reflected numbers is one place off.
static uint32_t after_words[2 * LONGEST_STREAM + 1];

static void make_powers(void) {
    // x^31 in the first step, since x^-33 is x^31 after one word less.
    uint32_t power = 1;
    for (size_t words = 1; words <= 2 * LONGEST_STREAM; words++) {
        after_words[words] = power;
        for (int byte = 0; byte < 8; byte++) power = (power >> 8) ^ slicing[0][power & 255];
    }
}

static inline uint64_t load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

// What a remainder becomes after so many words of zeros.
__attribute__((target("sse4.2,pclmul")))
static inline uint32_t shift(uint32_t crc, size_t words) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)after_words[words]), 0);
    return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul")))
static uint64_t three_streams(uint64_t first, const uint8_t *at, size_t words) {
    uint64_t second = 0, third = 0;
    size_t block = words * 8;
    for (const uint8_t *end = at + block; at < end; at += 8) {
        first = _mm_crc32_u64(first, load(at));
        second = _mm_crc32_u64(second, load(at + block));
        third = _mm_crc32_u64(third, load(at + 2 * block));
    }
    return shift((uint32_t)first, 2 * words) ^ shift((uint32_t)second, words) ^ third;
}

__attribute__((target("sse4.2,pclmul")))
static uint32_t crc32c_sse42(uint32_t previous, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint64_t crc = (uint32_t)~previous;
    while (length >= SHORTEST_CUT) {
        size_t words = length / 24 < LONGEST_STREAM ? length / 24 : LONGEST_STREAM;
        crc = three_streams(crc, at, words);
        at += words * 24;
        length -= words * 24;
    }
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
    make_powers();
    accelerated = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
#endif
}

uint32_t gr_crc32c(uint32_t previous, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (accelerated) return crc32c_sse42(previous, bytes, length);
#endif
    return gr_crc32c_portable(previous, bytes, length);
}

int gr_crc32c_accelerated(void) { return accelerated; }
