/* Made from firmware_bridge/oplist/table.py, which says what everything means; do not edit. */
#ifndef HIL_NN_FORMAT_H
#define HIL_NN_FORMAT_H

#define HIL_NN_MAGIC 0x4E4C4948u
#define HIL_NN_VERSION 1u
#define HIL_NN_OPS_MAX 254
#define HIL_NN_ELEMENTS_MAX 65535
#define HIL_NN_READINGS_MAX 16777216
#define HIL_NN_BIAS_MAX 1073741824
#define HIL_NN_SHIFT_MAX 30
#define HIL_NN_POOL_BITS 7
#define HIL_NN_ADD_MULT_MAX 2097152
#define HIL_NN_ADD_SHIFT_MAX 28
#define HIL_NN_INPUT_SHIFT_MAX 60

/* Places in the header. */
#define HIL_NN_HEADER_MAGIC 0u             /* uint32: "HILN" */
#define HIL_NN_HEADER_CRC32 4u             /* uint32: CRC-32 (IEEE) of everything behind it */
#define HIL_NN_HEADER_VERSION 8u           /* uint16: 1 */
#define HIL_NN_HEADER_OPS 10u              /* uint16: number of records, 1 to 254 */
#define HIL_NN_HEADER_SIZE 12u             /* uint32: bytes of the whole blob */
#define HIL_NN_HEADER_ARENA 16u            /* uint32: bytes of RAM the tensors need */
#define HIL_NN_HEADER_WINDOW 20u           /* uint16: rows of raw readings in a window */
#define HIL_NN_HEADER_COLUMNS 22u          /* uint16: readings in a row, in the stream's order */
#define HIL_NN_HEADER_OUTPUTS 24u          /* uint16: elements of the last tensor */
#define HIL_NN_HEADER_RAW 26u              /* uint8: type of a reading */
#define HIL_NN_HEADER_RESERVED 27u         /* uint8: 0 */
#define HIL_NN_HEADER_BYTES 28u

/* Places in a record; there is one for each op, right behind the header. */
#define HIL_NN_RECORD_CODE 0u              /* uint8: what it does */
#define HIL_NN_RECORD_IN_ZERO 1u           /* int8: zero point of the input */
#define HIL_NN_RECORD_IN2_ZERO 2u          /* int8: zero point of the second input (ADD) */
#define HIL_NN_RECORD_OUT_ZERO 3u          /* int8: zero point of the output */
#define HIL_NN_RECORD_LOW 4u               /* int8: least output: above -128 where a relu is fused */
#define HIL_NN_RECORD_HIGH 5u              /* int8: largest output */
#define HIL_NN_RECORD_SHIFT 6u             /* uint8: of ADD and AVERAGE_POOL */
#define HIL_NN_RECORD_RESERVED 7u          /* uint8: 0 */
#define HIL_NN_RECORD_IN_ROWS 8u           /* uint16: rows read */
#define HIL_NN_RECORD_IN_CHANNELS 10u      /* uint16: channels read */
#define HIL_NN_RECORD_OUT_ROWS 12u         /* uint16: rows written */
#define HIL_NN_RECORD_OUT_CHANNELS 14u     /* uint16: channels written */
#define HIL_NN_RECORD_KERNEL 16u           /* uint16: taps (CONV), rows of a pool, all rows (LINEAR); else 1 */
#define HIL_NN_RECORD_STRIDE 18u           /* uint16: rows between two windows */
#define HIL_NN_RECORD_DILATION 20u         /* uint16: rows between two taps */
#define HIL_NN_RECORD_PAD_LEFT 22u         /* uint16: rows of zero before the first */
#define HIL_NN_RECORD_PAD_RIGHT 24u        /* uint16: rows of zero behind the last */
#define HIL_NN_RECORD_GROUPS 26u           /* uint16: groups of channels that don't mix (CONV); all: depthwise */
#define HIL_NN_RECORD_INPUT 28u            /* uint32: where the input begins in the arena */
#define HIL_NN_RECORD_INPUT2 32u           /* uint32: where the second input begins (ADD) */
#define HIL_NN_RECORD_OUTPUT 36u           /* uint32: where the output begins; ADD may write onto an input */
#define HIL_NN_RECORD_MULT 40u             /* int32: of ADD and AVERAGE_POOL */
#define HIL_NN_RECORD_MULT2 44u            /* int32: of the second input (ADD) */
#define HIL_NN_RECORD_DATA 48u             /* uint32: where the arrays begin in the blob */
#define HIL_NN_RECORD_OUT_SCALE 52u        /* float: what one step of the output is worth; boards don't read it */
#define HIL_NN_RECORD_BYTES 56u

/* Arrays of an op, one behind the other:
 * input: column uint16[out_channels]
 * input: mult int32[out_channels]
 * input: shift uint8[out_channels]
 * input: offset int64[out_channels]
 * conv1d: bias int32[out_channels]
 * conv1d: mult int32[out_channels]
 * conv1d: shift uint8[out_channels]
 * conv1d: weight int8[out_channels * kernel * (in_channels / groups), in this order]
 * linear: bias int32[out_channels]
 * linear: mult int32[out_channels]
 * linear: shift uint8[out_channels]
 * linear: weight int8[out_channels * kernel * in_channels, in this order]
 */

typedef enum {
    HIL_NN_CODE_INPUT = 0,
    HIL_NN_CODE_CONV = 1,
    HIL_NN_CODE_LINEAR = 2,
    HIL_NN_CODE_ADD = 3,
    HIL_NN_CODE_MAX_POOL = 4,
    HIL_NN_CODE_AVERAGE_POOL = 5
} hil_nn_code;

typedef enum {
    HIL_NN_RAW_I8 = 0,
    HIL_NN_RAW_I16 = 1,
    HIL_NN_RAW_I32 = 2,
    HIL_NN_RAW_U8 = 4,
    HIL_NN_RAW_U16 = 5
} hil_nn_raw;

typedef enum {
    HIL_NN_REASON_FINE = 0,
    HIL_NN_REASON_SHORT = 1,
    HIL_NN_REASON_MAGIC = 2,
    HIL_NN_REASON_VERSION = 3,
    HIL_NN_REASON_SIZE = 4,
    HIL_NN_REASON_CHECKSUM = 5,
    HIL_NN_REASON_HEADER = 6,
    HIL_NN_REASON_NO_ROOM = 7,
    HIL_NN_REASON_UNKNOWN_OP = 8,
    HIL_NN_REASON_SHAPE = 9,
    HIL_NN_REASON_NUMBERS = 10,
    HIL_NN_REASON_REGION = 11,
    HIL_NN_REASON_ARRAYS = 12,
    HIL_NN_REASON_ANSWER = 13
} hil_nn_reason;

#endif
