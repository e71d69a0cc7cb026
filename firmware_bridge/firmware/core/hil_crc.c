#include "hil_crc.h"

#include "hal_port.h"

/* One entry a nibble: 64 bytes of flash, where a table of bytes would take 1 KB of a small chip. */
static const uint32_t hil_nibbles32[16] HIL_FLASH = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

/* No table: the polynomial has three terms, so that eight steps fold into as many shifts. */
uint16_t hil_crc16(uint16_t crc, uint8_t byte)
{
    uint8_t top = (uint8_t)((crc >> 8) ^ byte);

    top = (uint8_t)(top ^ (top >> 4));
    return (uint16_t)((uint16_t)(crc << 8) ^ ((uint16_t)top << 12) ^ ((uint16_t)top << 5) ^ top);
}

uint32_t hil_crc32(uint32_t crc, uint8_t byte)
{
    crc = (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ byte) & 0x0Fu]);
    return (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ (uint32_t)(byte >> 4)) & 0x0Fu]);
}
