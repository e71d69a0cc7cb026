/* A bounded queue of bytes between one writer and one reader, of which one may be an interrupt. */
#ifndef HIL_RING_H
#define HIL_RING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;
    uint16_t size;          /* a power of two, 32768 at most */
    volatile uint16_t head; /* bytes written so far, modulo 65536 */
    volatile uint16_t tail; /* bytes taken so far */
} hil_ring;

void hil_ring_clear(hil_ring *ring, uint8_t *bytes, uint16_t size);
uint16_t hil_ring_used(const hil_ring *ring);
uint16_t hil_ring_free(const hil_ring *ring);

/* Adds one byte; false where there is no room, and the byte is lost. */
bool hil_ring_put(hil_ring *ring, uint8_t byte);

/* Takes one byte; -1 where there is none. */
int16_t hil_ring_get(hil_ring *ring);

/* For a writer that commits many bytes at once: the reader sees nothing before. */
static inline void hil_ring_poke(hil_ring *ring, uint16_t offset, uint8_t byte)
{
    ring->bytes[(uint16_t)(ring->head + offset) & (uint16_t)(ring->size - 1u)] = byte;
}

void hil_ring_commit(hil_ring *ring, uint16_t count);

/* For a reader that takes many at once: how many lie in one piece at `*bytes`, and to pass over them. */
uint16_t hil_ring_piece(const hil_ring *ring, const uint8_t **bytes);
void hil_ring_drop(hil_ring *ring, uint16_t count);

#endif
