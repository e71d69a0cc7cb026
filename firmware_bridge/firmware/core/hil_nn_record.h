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
} record;

/* Where the arrays of a CONV or LINEAR are. */
typedef struct {
    const uint8_t *bias, *mult, *shift;
    const int8_t *weight;
} layer;

/* Bytes are put together one by one, which is right at any alignment and byte order, and which compilers turn into one
 * load where the board can do that. */
static inline uint16_t u16_at(const uint8_t *p) {
    return (uint16_t)(p[0] | ((uint32_t)p[1] << 8));
}

static inline uint32_t u32_at(const uint8_t *p) {
    return p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline int32_t i32_at(const uint8_t *p) {
    return (int32_t)u32_at(p);
}

static inline int64_t i64_at(const uint8_t *p) {
    return (int64_t)(u32_at(p) | ((uint64_t)u32_at(p + 4) << 32));
}

static inline record record_at(const uint8_t *blob, uint16_t index) {
    const uint8_t *p = blob + HIL_NN_HEADER_BYTES + (uint32_t)index * HIL_NN_RECORD_BYTES;
    record op;
    op.code = p[HIL_NN_RECORD_CODE];
    op.in_zero = (int8_t)p[HIL_NN_RECORD_IN_ZERO];
    op.in2_zero = (int8_t)p[HIL_NN_RECORD_IN2_ZERO];
    op.out_zero = (int8_t)p[HIL_NN_RECORD_OUT_ZERO];
    op.low = (int8_t)p[HIL_NN_RECORD_LOW];
    op.high = (int8_t)p[HIL_NN_RECORD_HIGH];
    op.shift = p[HIL_NN_RECORD_SHIFT];
    op.reserved = p[HIL_NN_RECORD_RESERVED];
    op.in_rows = u16_at(p + HIL_NN_RECORD_IN_ROWS);
    op.in_channels = u16_at(p + HIL_NN_RECORD_IN_CHANNELS);
    op.out_rows = u16_at(p + HIL_NN_RECORD_OUT_ROWS);
    op.out_channels = u16_at(p + HIL_NN_RECORD_OUT_CHANNELS);
    op.kernel = u16_at(p + HIL_NN_RECORD_KERNEL);
    op.stride = u16_at(p + HIL_NN_RECORD_STRIDE);
    op.dilation = u16_at(p + HIL_NN_RECORD_DILATION);
    op.pad_left = u16_at(p + HIL_NN_RECORD_PAD_LEFT);
    op.pad_right = u16_at(p + HIL_NN_RECORD_PAD_RIGHT);
    op.groups = u16_at(p + HIL_NN_RECORD_GROUPS);
    op.input = u32_at(p + HIL_NN_RECORD_INPUT);
    op.input2 = u32_at(p + HIL_NN_RECORD_INPUT2);
    op.output = u32_at(p + HIL_NN_RECORD_OUTPUT);
    op.mult = i32_at(p + HIL_NN_RECORD_MULT);
    op.mult2 = i32_at(p + HIL_NN_RECORD_MULT2);
    op.data = u32_at(p + HIL_NN_RECORD_DATA);
    return op;
}

static inline layer layer_of(const uint8_t *blob, const record *op) {
    layer found;
    found.bias = blob + op->data;
    found.mult = found.bias + 4u * (uint32_t)op->out_channels;
    found.shift = found.mult + 4u * (uint32_t)op->out_channels;
    found.weight = (const int8_t *)(found.shift + op->out_channels);
    return found;
}

#endif
