#include "hil_ring.h"

#include "hal.h"

void hil_ring_clear(hil_ring *ring, uint8_t *bytes, uint16_t size)
{
    const uint8_t before = hal_lock();

    ring->bytes = bytes;
    ring->size = size;
    ring->head = 0;
    ring->tail = 0;
    hal_unlock(before);
}

uint16_t hil_ring_used(const hil_ring *ring)
{
    /* An index has two bytes, which a small chip does not read in one go. */
    const uint8_t before = hal_lock();
    const uint16_t used = (uint16_t)(ring->head - ring->tail);

    hal_unlock(before);
    return used;
}

uint16_t hil_ring_free(const hil_ring *ring)
{
    return (uint16_t)(ring->size - hil_ring_used(ring));
}

void hil_ring_commit(hil_ring *ring, uint16_t count)
{
    const uint8_t before = hal_lock();

    ring->head = (uint16_t)(ring->head + count);
    hal_unlock(before);
}

bool hil_ring_put(hil_ring *ring, uint8_t byte)
{
    if (hil_ring_free(ring) == 0) {
        return false;
    }
    hil_ring_poke(ring, 0, byte);
    hil_ring_commit(ring, 1);
    return true;
}

uint16_t hil_ring_piece(const hil_ring *ring, const uint8_t **bytes)
{
    const uint16_t used = hil_ring_used(ring);
    const uint16_t at = ring->tail & (uint16_t)(ring->size - 1u);
    const uint16_t to_end = (uint16_t)(ring->size - at);

    *bytes = ring->bytes + at;
    return used < to_end ? used : to_end;
}

void hil_ring_drop(hil_ring *ring, uint16_t count)
{
    const uint8_t before = hal_lock();

    ring->tail = (uint16_t)(ring->tail + count);
    hal_unlock(before);
}

int16_t hil_ring_get(hil_ring *ring)
{
    const uint8_t *byte;

    if (hil_ring_piece(ring, &byte) == 0) {
        return -1;
    }
    const uint8_t taken = *byte;
    hil_ring_drop(ring, 1);
    return taken;
}
