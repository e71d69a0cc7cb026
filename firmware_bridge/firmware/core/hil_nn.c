/* The arithmetic of an op list. Inner loops know nothing but pointers and counts; whatever could go wrong was refused by
 * hil_nn_load. */
#include <stddef.h>

#include "hil_nn.h"
#include "hil_nn_record.h"

/* Taps first <= k < last of a window lie on rows that exist. */
typedef struct {
    uint32_t first, last;
} taps;

static int8_t limited(int32_t q, const record *op) {
    return (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
}

/* Half up of acc * mult / 2^(32 + shift): at least 33 bits go, so the low word of the product cannot matter. C11 leaves
 * it to the compiler that a right shift keeps the sign; all that make code for boards do, and the tests would show it. */
static int32_t rescaled(int32_t acc, int32_t mult, uint8_t shift) {
    const int32_t word = (int32_t)(((int64_t)acc * mult) >> 32);
    return (word + ((int32_t)1 << (shift - 1))) >> shift;
}

/* Sum of products of n neighbours. Four at a time: a third less instructions on a Cortex-M3 than one. */
static int32_t dot(const int8_t *x, const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n >= 4; n -= 4, x += 4, w += 4) {
        sum += (int32_t)x[0] * w[0];
        sum += (int32_t)x[1] * w[1];
        sum += (int32_t)x[2] * w[2];
        sum += (int32_t)x[3] * w[3];
    }
    for (; n > 0; n--) {
        sum += (int32_t)*x++ * *w++;
    }
    return sum;
}

/* Sum of products of one channel of n rows. */
static int32_t dot_rows(const int8_t *x, uint32_t step, const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--, x += step) {
        sum += (int32_t)*x * *w++;
    }
    return sum;
}

static int32_t total(const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--) {
        sum += *w++;
    }
    return sum;
}

static taps taps_of(const record *op, uint32_t row) {
    const uint32_t start = row * op->stride, end = (uint32_t)op->in_rows + op->pad_left;
    taps found;
    found.first = start < op->pad_left ? (op->pad_left - start + op->dilation - 1u) / op->dilation : 0u;
    found.last = start < end ? (end - start - 1u) / op->dilation + 1u : 0u;
    if (found.last > op->kernel) {
        found.last = op->kernel;
    }
    if (found.first > found.last) {
        found.first = found.last; /* no tap lies on a row; which are padded comes out the same */
    }
    return found;
}

static void run_conv(const hil_nn *nn, const record *op, int8_t *y) {
    const layer l = layer_of(nn->blob, op);
    const uint32_t each = op->in_channels / op->groups, width = op->out_channels / op->groups;
    const uint32_t step = (uint32_t)op->dilation * op->in_channels;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const taps t = taps_of(op, row);
        const int8_t *w = l.weight;
        const int8_t *x = nn->arena + op->input;
        if (t.last > t.first) {
            x += (row * op->stride + t.first * op->dilation - op->pad_left) * op->in_channels;
        }
        const uint32_t n = (t.last - t.first) * each;
        const int whole = t.last - t.first == op->kernel;
        uint32_t o = 0;
        for (uint32_t group = 0; group < op->groups; group++, x += each) {
            for (uint32_t i = 0; i < width; i++, o++, w += op->kernel * each) {
                int32_t acc = i32_at(l.bias + 4u * o);
                const int8_t *v = w + t.first * each;
                if (each == 1) {
                    acc += dot_rows(x, step, v, n);
                } else if (step == each) {
                    acc += dot(x, v, n); /* taps lie side by side */
                } else {
                    const int8_t *tap = x;
                    for (uint32_t k = t.first; k < t.last; k++, tap += step, v += each) {
                        acc += dot(tap, v, each);
                    }
                }
                if (!whole) {
                    acc += op->in_zero *
                           (total(w, t.first * each) + total(w + t.last * each, (op->kernel - t.last) * each));
                }
                *y++ = limited(op->out_zero + rescaled(acc, i32_at(l.mult + 4u * o), l.shift[o]), op);
            }
        }
    }
}

static void run_pool(const hil_nn *nn, const record *op, int8_t *y) {
    const int average = op->code == HIL_NN_CODE_AVERAGE_POOL;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const taps t = taps_of(op, row);
        const uint32_t n = t.last - t.first;
        const int8_t *x = nn->arena + op->input + (row * op->stride + t.first - op->pad_left) * op->in_channels;
        for (uint32_t c = 0; c < op->out_channels; c++) {
            const int8_t *p = x + c;
            int32_t found = average ? 0 : *p;
            for (uint32_t k = n; k > 0; k--, p += op->in_channels) {
                if (average) {
                    found += *p;
                } else if (*p > found) {
                    found = *p;
                }
            }
            if (average) {
                found = (found - (int32_t)n * op->in_zero) * (1 << HIL_NN_POOL_BITS);
                found = op->out_zero + rescaled(found, op->mult, op->shift);
            }
            *y++ = limited(found, op);
        }
    }
}

static void run_add(const hil_nn *nn, const record *op, int8_t *y) {
    const int8_t *a = nn->arena + op->input, *b = nn->arena + op->input2;
    const int32_t half = (int32_t)1 << (op->shift - 1);
    for (uint32_t n = (uint32_t)op->out_rows * op->out_channels; n > 0; n--) {
        const int32_t sum = (*a++ - op->in_zero) * op->mult + (*b++ - op->in2_zero) * op->mult2;
        *y++ = limited(op->out_zero + ((sum + half) >> op->shift), op);
    }
}

static int32_t raw_at(uint8_t raw, const uint8_t *p) {
    switch (raw) {
    case HIL_NN_RAW_I8:
        return (int8_t)p[0];
    case HIL_NN_RAW_U8:
        return p[0];
    case HIL_NN_RAW_I16:
        return (int16_t)u16_at(p);
    case HIL_NN_RAW_U16:
        return u16_at(p);
    default:
        return i32_at(p);
    }
}

static uint32_t raw_size(uint8_t raw) {
    return raw == HIL_NN_RAW_I32 ? 4u : raw == HIL_NN_RAW_I16 || raw == HIL_NN_RAW_U16 ? 2u : 1u;
}

static void run_input(const hil_nn *nn, const record *op, const uint8_t *rows, uint32_t oldest, int8_t *y) {
    const uint32_t n = op->out_channels, size = raw_size(nn->raw);
    const uint8_t *column = nn->blob + op->data, *mult = column + 2u * n, *shift = mult + 4u * n, *offset = shift + n;
    uint32_t row = oldest;
    for (uint32_t left = op->in_rows; left > 0; left--) {
        const uint8_t *p = rows + row * nn->columns * size;
        for (uint32_t c = 0; c < n; c++) {
            int64_t q = (int64_t)raw_at(nn->raw, p + u16_at(column + 2u * c) * size) * i32_at(mult + 4u * c);
            q = (q + i64_at(offset + 8u * c) + ((int64_t)1 << (shift[c] - 1))) >> shift[c];
            *y++ = (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
        }
        row = row + 1u == nn->window ? 0u : row + 1u;
    }
}

uint32_t hil_nn_row_size(const hil_nn *nn) {
    return nn->columns * raw_size(nn->raw);
}

const int8_t *hil_nn_run(const hil_nn *nn, const uint8_t *rows, uint16_t oldest, hil_nn_tap tap, void *user) {
    int8_t *out = nn->arena;
    for (uint16_t i = 0; i < nn->ops; i++) {
        const record op = record_at(nn->blob, i);
        out = nn->arena + op.output;
        switch (op.code) {
        case HIL_NN_CODE_INPUT:
            run_input(nn, &op, rows, oldest, out);
            break;
        case HIL_NN_CODE_CONV:
        case HIL_NN_CODE_LINEAR:
            run_conv(nn, &op, out);
            break;
        case HIL_NN_CODE_ADD:
            run_add(nn, &op, out);
            break;
        default:
            run_pool(nn, &op, out);
            break;
        }
        if (tap != NULL) {
            tap(user, (uint8_t)i, out, (uint16_t)(op.out_rows * op.out_channels));
        }
    }
    return out;
}
