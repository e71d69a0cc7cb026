/* The checks of an op list: the same in the same order as firmware_bridge/oplist/check.py, for the same reasons. */
#include <stddef.h>

#include "hil_nn.h"
#include "hil_nn_record.h"

static uint32_t hil_nn_crc32(const uint8_t *p, uint32_t n) {
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static int hil_nn_shape_fits(const hil_nn_record *op, uint32_t window) {
    if (op->in_rows == 0 || op->in_channels == 0 || op->out_rows == 0 || op->out_channels == 0 || op->kernel == 0 ||
        op->stride == 0 || op->dilation == 0 || op->groups == 0) {
        return 0;
    }
    if ((uint32_t)op->in_rows * op->in_channels > HIL_NN_ELEMENTS_MAX ||
        (uint32_t)op->out_rows * op->out_channels > HIL_NN_ELEMENTS_MAX ||
        (uint32_t)op->kernel * op->in_channels > HIL_NN_ELEMENTS_MAX) {
        return 0;
    }
    const uint32_t extent = ((uint32_t)op->kernel - 1u) * op->dilation + 1u;
    const uint32_t padded = (uint32_t)op->in_rows + op->pad_left + op->pad_right;
    if (padded < extent || op->out_rows != (padded - extent) / op->stride + 1u) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_CONV) {
        return op->in_channels % op->groups == 0 && op->out_channels % op->groups == 0;
    }
    if (op->groups != 1 || op->dilation != 1) {
        return 0;
    }
    const int same = op->in_channels == op->out_channels;
    if (op->code == HIL_NN_CODE_MAX_POOL || op->code == HIL_NN_CODE_AVERAGE_POOL) {
        return same && op->pad_left < op->kernel && op->pad_right < op->kernel;
    }
    if (op->pad_left != 0 || op->pad_right != 0 || op->stride != 1) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_LINEAR) {
        return op->kernel == op->in_rows;
    }
    if (op->kernel != 1 || !same) {
        return 0;
    }
    return op->code == HIL_NN_CODE_ADD || op->in_rows == window;
}

static int hil_nn_scalars_fit(const hil_nn_record *op) {
    if (op->code == HIL_NN_CODE_ADD) {
        return op->shift >= 1 && op->shift <= HIL_NN_ADD_SHIFT_MAX && op->mult >= 0 &&
               op->mult <= HIL_NN_ADD_MULT_MAX && op->mult2 >= 0 && op->mult2 <= HIL_NN_ADD_MULT_MAX;
    }
    return op->code != HIL_NN_CODE_AVERAGE_POOL ||
           (op->shift >= 1 && op->shift <= HIL_NN_SHIFT_MAX && op->mult >= 0);
}

static int hil_nn_inside(uint32_t begin, uint32_t n, uint32_t size) {
    return n <= size && begin <= size - n;
}

static int hil_nn_readable(const hil_nn_record *op, uint32_t begin, uint32_t arena) {
    const uint32_t into = (uint32_t)op->in_rows * op->in_channels;
    const uint32_t out = (uint32_t)op->out_rows * op->out_channels;
    if (!hil_nn_inside(begin, into, arena)) {
        return 0;
    }
    if (begin + into <= op->output || op->output + out <= begin) {
        return 1;
    }
    return op->code == HIL_NN_CODE_ADD && begin == op->output;
}

static int hil_nn_regions_fit(const hil_nn_record *op, uint32_t arena) {
    if (!hil_nn_inside(op->output, (uint32_t)op->out_rows * op->out_channels, arena)) {
        return 0;
    }
    if (op->code == HIL_NN_CODE_INPUT) {
        return 1;
    }
    return hil_nn_readable(op, op->input, arena) &&
           (op->code != HIL_NN_CODE_ADD || hil_nn_readable(op, op->input2, arena));
}

static hil_nn_reason hil_nn_input_fits(const uint8_t *blob, const hil_nn_record *op, uint16_t columns) {
    const uint32_t n = op->out_channels;
    const uint8_t *column = blob + op->data, *shift = column + 6u * n, *offset = shift + n;
    const int64_t most = (int64_t)1 << 61;
    for (uint32_t c = 0; c < n; c++) {
        const int64_t add = hil_nn_i64_at(offset + 8u * c);
        if (hil_nn_u16_at(column + 2u * c) >= columns || shift[c] < 1 || shift[c] > HIL_NN_INPUT_SHIFT_MAX ||
            add > most || add < -most) {
            return HIL_NN_REASON_NUMBERS;
        }
    }
    return HIL_NN_REASON_FINE;
}

static hil_nn_reason hil_nn_layer_fits(const uint8_t *blob, const hil_nn_record *op) {
    const hil_nn_layer l = hil_nn_layer_of(blob, op);
    for (uint32_t o = 0; o < op->out_channels; o++) {
        const int32_t bias = hil_nn_i32_at(l.bias + 4u * o);
        if (bias > HIL_NN_BIAS_MAX || bias < -HIL_NN_BIAS_MAX || hil_nn_i32_at(l.mult + 4u * o) < 0 || l.shift[o] < 1 ||
            l.shift[o] > HIL_NN_SHIFT_MAX) {
            return HIL_NN_REASON_NUMBERS;
        }
    }
    return HIL_NN_REASON_FINE;
}

static hil_nn_reason hil_nn_op_fits(const uint8_t *blob, uint32_t size, const hil_nn_record *op, uint16_t index) {
    if (op->code > HIL_NN_CODE_AVERAGE_POOL || (op->code == HIL_NN_CODE_INPUT) != (index == 0)) {
        return HIL_NN_REASON_UNKNOWN_OP;
    }
    if (op->reserved != 0 || !hil_nn_shape_fits(op, hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW))) {
        return HIL_NN_REASON_SHAPE;
    }
    if (op->low > op->high || !hil_nn_scalars_fit(op)) {
        return HIL_NN_REASON_NUMBERS;
    }
    if (!hil_nn_regions_fit(op, hil_nn_u32_at(blob + HIL_NN_HEADER_ARENA))) {
        return HIL_NN_REASON_REGION;
    }
    const int is_input = op->code == HIL_NN_CODE_INPUT;
    if (!is_input && op->code != HIL_NN_CODE_CONV && op->code != HIL_NN_CODE_LINEAR) {
        return HIL_NN_REASON_FINE;
    }
    const uint64_t each = is_input ? 15u : 9u + (uint64_t)op->kernel * (op->in_channels / op->groups);
    const uint32_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    const uint32_t records = HIL_NN_HEADER_BYTES + ops * HIL_NN_RECORD_BYTES;
    if (op->data < records || op->data + op->out_channels * each > size) {
        return HIL_NN_REASON_ARRAYS;
    }
    return is_input ? hil_nn_input_fits(blob, op, hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS))
                    : hil_nn_layer_fits(blob, op);
}

static hil_nn_reason hil_nn_header_fits(const uint8_t *blob, uint32_t size, uint32_t arena_size) {
    if (size < HIL_NN_HEADER_BYTES) {
        return HIL_NN_REASON_SHORT;
    }
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_MAGIC) != HIL_NN_MAGIC) {
        return HIL_NN_REASON_MAGIC;
    }
    if (hil_nn_u16_at(blob + HIL_NN_HEADER_VERSION) != HIL_NN_VERSION) {
        return HIL_NN_REASON_VERSION;
    }
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_SIZE) != size) {
        return HIL_NN_REASON_SIZE;
    }
    const uint32_t crc32 = hil_nn_crc32(blob + HIL_NN_HEADER_VERSION, size - HIL_NN_HEADER_VERSION);
    if (hil_nn_u32_at(blob + HIL_NN_HEADER_CRC32) != crc32) {
        return HIL_NN_REASON_CHECKSUM;
    }
    const uint32_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    const uint8_t raw = blob[HIL_NN_HEADER_RAW];
    const uint32_t window = hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW);
    const uint32_t readings = window * hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS);
    if (ops == 0 || ops > HIL_NN_OPS_MAX || HIL_NN_HEADER_BYTES + ops * HIL_NN_RECORD_BYTES > size ||
        readings == 0 || readings > HIL_NN_READINGS_MAX ||
        raw > HIL_NN_RAW_U16 || raw == HIL_NN_RAW_I32 + 1 || blob[HIL_NN_HEADER_RESERVED] != 0) {
        return HIL_NN_REASON_HEADER;
    }
    return hil_nn_u32_at(blob + HIL_NN_HEADER_ARENA) > arena_size ? HIL_NN_REASON_NO_ROOM : HIL_NN_REASON_FINE;
}

hil_nn_reason hil_nn_load(hil_nn *nn, const uint8_t *blob, uint32_t size, int8_t *arena, uint32_t arena_size,
                          uint16_t *at) {
    uint16_t index = 0;
    if (at == NULL) {
        at = &index;
    }
    *at = 0;
    hil_nn_reason reason = hil_nn_header_fits(blob, size, arena_size);
    if (reason != HIL_NN_REASON_FINE) {
        return reason;
    }
    const uint16_t ops = hil_nn_u16_at(blob + HIL_NN_HEADER_OPS);
    uint32_t outputs = 0;
    for (uint16_t i = 0; i < ops; i++) {
        const hil_nn_record op = hil_nn_record_at(blob, i);
        *at = i;
        reason = hil_nn_op_fits(blob, size, &op, i);
        if (reason != HIL_NN_REASON_FINE) {
            return reason;
        }
        outputs = (uint32_t)op.out_rows * op.out_channels;
    }
    if (outputs != hil_nn_u16_at(blob + HIL_NN_HEADER_OUTPUTS)) {
        return HIL_NN_REASON_ANSWER;
    }
    *at = 0;
    nn->blob = blob;
    nn->arena = arena;
    nn->ops = ops;
    nn->window = hil_nn_u16_at(blob + HIL_NN_HEADER_WINDOW);
    nn->columns = hil_nn_u16_at(blob + HIL_NN_HEADER_COLUMNS);
    nn->outputs = (uint16_t)outputs;
    nn->raw = blob[HIL_NN_HEADER_RAW];
    return HIL_NN_REASON_FINE;
}
