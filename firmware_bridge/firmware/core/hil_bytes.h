/* Little-endian numbers in bytes: the same on every machine, aligned or not. */
#ifndef HIL_BYTES_H
#define HIL_BYTES_H

#include <stdint.h>

static inline uint16_t hil_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | ((uint16_t)at[1] << 8));
}

static inline uint32_t hil_get32(const uint8_t *at)
{
    return (uint32_t)hil_get16(at) | ((uint32_t)hil_get16(at + 2) << 16);
}

static inline void hil_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
}

static inline void hil_put32(uint8_t *at, uint32_t value)
{
    hil_put16(at, (uint16_t)(value & 0xFFFFu));
    hil_put16(at + 2, (uint16_t)(value >> 16));
}

#endif
