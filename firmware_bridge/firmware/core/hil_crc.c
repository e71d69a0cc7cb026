#include "hil_crc.h"

#include "hal_port.h"

/* One entry a nibble: 96 bytes of flash, where a table of bytes would take 1.5 KB of a small chip. */
static const uint16_t hil_nibbles16[16] HIL_FLASH = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
    0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
};

static const uint32_t hil_nibbles32[16] HIL_FLASH = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint16_t hil_crc16(uint16_t crc, uint8_t byte)
{
    crc = (uint16_t)((uint16_t)(crc << 4) ^ HIL_FLASH_16(&hil_nibbles16[(crc >> 12) ^ (byte >> 4)]));
    return (uint16_t)((uint16_t)(crc << 4) ^ HIL_FLASH_16(&hil_nibbles16[(crc >> 12) ^ (byte & 0x0Fu)]));
}

uint32_t hil_crc32(uint32_t crc, uint8_t byte)
{
    crc = (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ byte) & 0x0Fu]);
    return (crc >> 4) ^ HIL_FLASH_32(&hil_nibbles32[(crc ^ (uint32_t)(byte >> 4)) & 0x0Fu]);
}
