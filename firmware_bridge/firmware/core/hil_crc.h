/* The two checksums of the wire, a byte at a time: CRC-16/CCITT-FALSE and CRC-32 as in zlib. */
#ifndef HIL_CRC_H
#define HIL_CRC_H

#include <stdint.h>

#define HIL_CRC16_START 0xFFFFu
#define HIL_CRC32_START 0xFFFFFFFFu

uint16_t hil_crc16(uint16_t crc, uint8_t byte);

/* The checksum itself is the last value inverted. */
uint32_t hil_crc32(uint32_t crc, uint8_t byte);

#endif
