/* For machines whose constants lie in the same address space as everything else. */
#ifndef HAL_PLAIN_H
#define HAL_PLAIN_H

#define HIL_FLASH
#define HIL_TEXT(text) (text)
#define HIL_FLASH_CHAR(at) (*(at))
#define HIL_FLASH_8(at) (*(at))
#define HIL_FLASH_16(at) (*(at))
#define HIL_FLASH_32(at) (*(at))

#endif
