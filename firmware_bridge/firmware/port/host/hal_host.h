/* What the program around a board does with it: power, time, and bytes both ways. */
#ifndef HAL_HOST_H
#define HAL_HOST_H

#include <stdint.h>

/* The board starts anew at this reading of its counter. */
void host_power(uint32_t tick, uint32_t from_seed, uint32_t at_rate_mhz);

/* Lets it do what is due at `tick`; returns after how many ticks it wants to be called again. */
uint32_t host_step(uint32_t tick);

/* Both return how many bytes went through. */
uint32_t host_receive(const uint8_t *bytes, uint32_t count);
uint32_t host_take(uint8_t *bytes, uint32_t most);

/* The same for a device under test (see hil_dut.h), with an op list or, where `size` is 0, without. */
void host_dut_power(uint32_t tick, const uint8_t *blob, uint32_t size);
uint32_t host_dut_step(uint32_t tick);

/* The parser alone: begin anew, take a byte and return the length of a good frame, and see what there is. */
void host_reader(uint32_t max_frame, uint32_t crc_bits);
uint32_t host_read(uint8_t byte);
uint32_t host_refused(void);
const uint8_t *host_body(void);

#endif
