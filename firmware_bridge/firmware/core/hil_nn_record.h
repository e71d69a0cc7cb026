/* How a blob is read: bytes, records, arrays. Shared by the checks and the arithmetic; not for callers. */
#ifndef HIL_NN_RECORD_H
#define HIL_NN_RECORD_H

#include <stdint.h>

#include "hil_nn_format.h"

/* One record, unpacked. */
typedef struct {
    uint8_t code, shift, reserved;
    int8_t in_zero, in2_zero, out_zero, low, high;
    uint16_t in_rows, in_channels, out_rows, out_channels, kernel, stride, dilation, pad_left, pad_right, groups;
    uint32_t input, input2, output, data;
    int32_t mult, mult2;
} hil_nn_record;

/* Where the arrays of a CONV or LINEAR are. */
typedef struct {
    const uint8_t *bias, *mult, *shift;
    const int8_t *weight;
} hil_nn_layer;

/* Bytes are put together one by one, which is right at any alignment and byte order, and which compilers turn into one
 * load where the board can do that. */
static inline uint16_t hil_nn_u16_at(const uint8_t *p) {
    return (uint16_t)(p[0] | ((uint32_t)p[1] << 8));
}

static inline uint32_t hil_nn_u32_at(const uint8_t *p) {
    return p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline int32_t hil_nn_i32_at(const uint8_t *p) {
    return (int32_t)hil_nn_u32_at(p);
}

static inline int64_t hil_nn_i64_at(const uint8_t *p) {
    return (int64_t)(hil_nn_u32_at(p) | ((uint64_t)hil_nn_u32_at(p + 4) << 32));
}

static inline hil_nn_record hil_nn_record_at(const uint8_t *blob, uint16_t index) {
    const uint8_t *p = blob + HIL_NN_HEADER_BYTES + (uint32_t)index * HIL_NN_RECORD_BYTES;
    hil_nn_record op;
    op.code = p[HIL_NN_RECORD_CODE];
    op.in_zero = (int8_t)p[HIL_NN_RECORD_IN_ZERO];
    op.in2_zero = (int8_t)p[HIL_NN_RECORD_IN2_ZERO];
    op.out_zero = (int8_t)p[HIL_NN_RECORD_OUT_ZERO];
    op.low = (int8_t)p[HIL_NN_RECORD_LOW];
    op.high = (int8_t)p[HIL_NN_RECORD_HIGH];
    op.shift = p[HIL_NN_RECORD_SHIFT];
    op.reserved = p[HIL_NN_RECORD_RESERVED];
    op.in_rows = hil_nn_u16_at(p + HIL_NN_RECORD_IN_ROWS);
    op.in_channels = hil_nn_u16_at(p + HIL_NN_RECORD_IN_CHANNELS);
    op.out_rows = hil_nn_u16_at(p + HIL_NN_RECORD_OUT_ROWS);
    op.out_channels = hil_nn_u16_at(p + HIL_NN_RECORD_OUT_CHANNELS);
    op.kernel = hil_nn_u16_at(p + HIL_NN_RECORD_KERNEL);
    op.stride = hil_nn_u16_at(p + HIL_NN_RECORD_STRIDE);
    op.dilation = hil_nn_u16_at(p + HIL_NN_RECORD_DILATION);
    op.pad_left = hil_nn_u16_at(p + HIL_NN_RECORD_PAD_LEFT);
    op.pad_right = hil_nn_u16_at(p + HIL_NN_RECORD_PAD_RIGHT);
    op.groups = hil_nn_u16_at(p + HIL_NN_RECORD_GROUPS);
    op.input = hil_nn_u32_at(p + HIL_NN_RECORD_INPUT);
    op.input2 = hil_nn_u32_at(p + HIL_NN_RECORD_INPUT2);
    op.output = hil_nn_u32_at(p + HIL_NN_RECORD_OUTPUT);
    op.mult = hil_nn_i32_at(p + HIL_NN_RECORD_MULT);
    op.mult2 = hil_nn_i32_at(p + HIL_NN_RECORD_MULT2);
    op.data = hil_nn_u32_at(p + HIL_NN_RECORD_DATA);
    return op;
}

static inline hil_nn_layer hil_nn_layer_of(const uint8_t *blob, const hil_nn_record *op) {
    hil_nn_layer found;
    found.bias = blob + op->data;
    found.mult = found.bias + 4u * (uint32_t)op->out_channels;
    found.shift = found.mult + 4u * (uint32_t)op->out_channels;
    found.weight = (const int8_t *)(found.shift + op->out_channels);
    return found;
}

#endif
