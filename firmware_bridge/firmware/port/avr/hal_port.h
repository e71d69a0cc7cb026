/* Sizes of an ATmega328P: 2 KB of memory for everything, and constants read out of flash. */
#ifndef HAL_PORT_H
#define HAL_PORT_H

#include <avr/pgmspace.h>
#include <stdint.h>

#define HIL_FLASH PROGMEM
#define HIL_TEXT(text) PSTR(text)
#define HIL_FLASH_CHAR(at) ((char)pgm_read_byte(at))
#define HIL_FLASH_8(at) pgm_read_byte(at)
#define HIL_FLASH_16(at) pgm_read_word(at)
#define HIL_FLASH_32(at) pgm_read_dword(at)

#define HIL_TICK_HZ ((uint32_t)1000000)
#define HIL_CRC_BITS 16
#define HIL_MAX_FRAME 128
#define HIL_TX_BYTES 512
#define HIL_TX_RESERVE 160
#define HIL_RX_BYTES 256
#define HIL_STREAMS 1
#define HIL_GROUP_BYTES 96
#define HIL_INJECT_BYTES 384

#endif
