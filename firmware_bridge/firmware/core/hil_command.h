/* What the board does when the host says something, and what both sides of the core share for it. */
#ifndef HIL_COMMAND_H
#define HIL_COMMAND_H

#include <stdint.h>

#include "hil_board.h"

/* A command that was heard. */
typedef struct hil_command {
    uint8_t kind;
    uint8_t flags;
    uint16_t seq;
    const uint8_t *payload;
    uint16_t length;
} hil_command;

/* Does what the good frame in `body` says; `length` is that of its header and payload. */
void hil_command_obey(hil_board *board, uint16_t length);

/* Answers to it; the text of a refusal lies in flash (HIL_TEXT) and may be 0. */
void hil_command_ack(hil_board *board, const hil_command *heard);
void hil_command_nak(hil_board *board, const hil_command *heard, uint8_t reason, uint32_t detail, const char *text);

/* Tells the host how many injected samples there has been room for. */
void hil_command_credit(hil_board *board, uint8_t id);

/* Sends the samples that wait, or counts them as dropped. */
void hil_board_flush(hil_board *board, uint8_t id);

/* Says a number and a constant (HIL_TEXT) as a warning for people; false where there is no room for it now. */
bool hil_board_warn(hil_board *board, uint32_t number, const char *text);

/* Forgets everything and says HELLO, as after power-up. */
void hil_board_anew(hil_board *board);

#endif
