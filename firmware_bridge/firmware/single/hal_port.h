#ifndef HAL_PORT_H
#define HAL_PORT_H

#include <stdint.h>

#ifndef HIL_FLASH /* where constants lie; a chip that keeps them elsewhere than AVR or in memory defines all six */
#ifdef __AVR__
# include <avr/pgmspace.h> /* with a blank, so that it stays where it stands */
#define HIL_FLASH PROGMEM
#define HIL_TEXT(text) PSTR(text)
#define HIL_FLASH_CHAR(at) ((char)pgm_read_byte(at))
#define HIL_FLASH_8(at) pgm_read_byte(at)
#define HIL_FLASH_16(at) pgm_read_word(at)
#define HIL_FLASH_32(at) pgm_read_dword(at)
#else
#define HIL_FLASH
#define HIL_TEXT(text) (text)
#define HIL_FLASH_CHAR(at) (*(at))
#define HIL_FLASH_8(at) (*(at))
#define HIL_FLASH_16(at) (*(at))
#define HIL_FLASH_32(at) (*(at))
#endif
#endif

#ifndef HIL_TICK_HZ /* ticks a second of hal_tick, 1000 to 2147483 */
#define HIL_TICK_HZ ((uint32_t)1000000)
#endif
#ifndef HIL_CRC_BITS /* 16, or 32 where the link is fast */
#define HIL_CRC_BITS 16
#endif
#ifndef HIL_MAX_FRAME /* bytes of a frame before stuffing, 128 at least */
#define HIL_MAX_FRAME 256
#endif
#ifndef HIL_TX_BYTES /* that wait for the host; a power of two */
#define HIL_TX_BYTES 2048
#endif
#ifndef HIL_TX_RESERVE /* of these, for answers only */
#define HIL_TX_RESERVE 256
#endif
#ifndef HIL_RX_BYTES /* a power of two */
#define HIL_RX_BYTES 512
#endif
#ifndef HIL_STREAMS /* that a board has at most, 31 */
#define HIL_STREAMS 1
#endif
#ifndef HIL_GROUP_BYTES /* of samples in a frame; no sample is longer */
#define HIL_GROUP_BYTES 192
#endif
#ifndef HIL_INJECT_BYTES /* of injected samples that wait */
#define HIL_INJECT_BYTES 768
#endif

#endif
