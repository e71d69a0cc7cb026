/* What the board does when the host says something, and what both sides of the core share for it. */
#ifndef HIL_COMMAND_H
#define HIL_COMMAND_H

#include <stdint.h>

#include "hil_board.h"

/* Does what the good frame in `body` says; `length` is that of its header and payload. */
void hil_command_obey(hil_board *board, uint16_t length);

/* Tells the host how many injected samples there has been room for. */
void hil_command_credit(hil_board *board, uint8_t id);

/* Sends the samples that wait, or counts them as dropped. */
void hil_board_flush(hil_board *board, uint8_t id);

/* Forgets everything and says HELLO, as after power-up. */
void hil_board_anew(hil_board *board);

#endif
