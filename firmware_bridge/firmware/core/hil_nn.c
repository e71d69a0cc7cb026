/* The arithmetic of an op list. Inner loops know nothing but pointers and counts; whatever could go wrong was refused
 * by hil_nn_load. */
#include <stddef.h>

#include "hil_nn.h"
#include "hil_nn_record.h"

/* Taps first <= k < last of a window lie on rows that exist. */
typedef struct {
    uint32_t first, last;
} hil_nn_taps;

static int8_t hil_nn_limited(int32_t q, const hil_nn_record *op) {
    return (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
}

/* Half up of acc * mult / 2^(32 + shift): at least 33 bits go, so the low word of the product cannot matter. C11 leaves
 * it to the compiler that a right shift keeps the sign; all that make code for boards do, and a test would show it. */
static int32_t hil_nn_rescaled(int32_t acc, int32_t mult, uint8_t shift) {
    const int32_t word = (int32_t)(((int64_t)acc * mult) >> 32);
    return (word + ((int32_t)1 << (shift - 1))) >> shift;
}

/* Adds to `outputs` sums the products of n neighbours with weights that lie `apart`. Four sums share the load of every
 * reading, which is as many as the registers of a Cortex-M3 hold: under three instructions a product. */
#define HIL_NN_SIDE_BY_SIDE 4u

static void hil_nn_add_products(const int8_t *x, const int8_t *w, uint32_t apart, uint32_t n, uint32_t outputs,
                                int32_t *acc) {
    if (outputs == HIL_NN_SIDE_BY_SIDE) {
        const int8_t *w1 = w + apart, *w2 = w1 + apart, *w3 = w2 + apart;
        int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
        for (const int8_t *end = x + n; x != end;) {
            const int32_t v = *x++;
            a0 += v * *w++;
            a1 += v * *w1++;
            a2 += v * *w2++;
            a3 += v * *w3++;
        }
        acc[0] = a0;
        acc[1] = a1;
        acc[2] = a2;
        acc[3] = a3;
        return;
    }
    for (uint32_t o = 0; o < outputs; o++, w += apart) {
        int32_t a = acc[o];
        for (uint32_t k = 0; k < n; k++) {
            a += (int32_t)x[k] * w[k];
        }
        acc[o] = a;
    }
}

/* Sum of products of one channel of n rows. */
static int32_t hil_nn_dot_rows(const int8_t *x, uint32_t step, const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--, x += step) {
        sum += (int32_t)*x * *w++;
    }
    return sum;
}

static int32_t hil_nn_total(const int8_t *w, uint32_t n) {
    int32_t sum = 0;
    for (; n > 0; n--) {
        sum += *w++;
    }
    return sum;
}

static hil_nn_taps hil_nn_taps_of(const hil_nn_record *op, uint32_t row) {
    const uint32_t start = row * op->stride, end = (uint32_t)op->in_rows + op->pad_left;
    hil_nn_taps found;
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

/* Sums of some outputs of one group at one row: x is the first reading, w the weights of the first output. */
static void hil_nn_add_taps(const hil_nn_record *op, const hil_nn_taps *t, const int8_t *x, const int8_t *w,
                            uint32_t outputs, int32_t *acc) {
    const uint32_t each = op->in_channels / op->groups, step = (uint32_t)op->dilation * op->in_channels;
    const uint32_t apart = op->kernel * each, n = t->last - t->first;
    const int8_t *v = w + t->first * each;
    if (each == 1) {
        for (uint32_t o = 0; o < outputs; o++, v += apart) {
            acc[o] += hil_nn_dot_rows(x, step, v, n);
        }
    } else if (step == each) {
        hil_nn_add_products(x, v, apart, n * each, outputs, acc); /* taps lie side by side */
    } else {
        for (uint32_t k = 0; k < n; k++, x += step, v += each) {
            hil_nn_add_products(x, v, apart, each, outputs, acc);
        }
    }
    if (n < op->kernel) {
        for (uint32_t o = 0; o < outputs; o++, w += apart) {
            const int8_t *behind = w + t->last * each;
            const int32_t padded = hil_nn_total(w, t->first * each) + hil_nn_total(behind, (op->kernel - t->last) * each);
            acc[o] += op->in_zero * padded;
        }
    }
}

static void hil_nn_run_conv(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const hil_nn_layer l = hil_nn_layer_of(nn->blob, op);
    const uint32_t each = op->in_channels / op->groups, width = op->out_channels / op->groups;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const hil_nn_taps t = hil_nn_taps_of(op, row);
        const int8_t *w = l.weight;
        const int8_t *x = nn->arena + op->input;
        if (t.last > t.first) {
            x += (row * op->stride + t.first * op->dilation - op->pad_left) * op->in_channels;
        }
        uint32_t o = 0;
        for (uint32_t group = 0; group < op->groups; group++, x += each) {
            for (uint32_t left = width, outputs = HIL_NN_SIDE_BY_SIDE; left > 0; left -= outputs) {
                if (outputs > left) {
                    outputs = left;
                }
                int32_t acc[HIL_NN_SIDE_BY_SIDE] = {0};
                hil_nn_add_taps(op, &t, x, w, outputs, acc);
                for (uint32_t i = 0; i < outputs; i++, o++) {
                    const int32_t sum = acc[i] + hil_nn_i32_at(l.bias + 4u * o);
                    const int32_t q = hil_nn_rescaled(sum, hil_nn_i32_at(l.mult + 4u * o), l.shift[o]);
                    *y++ = hil_nn_limited(op->out_zero + q, op);
                }
                w += outputs * op->kernel * each;
            }
        }
    }
}

static void hil_nn_run_pool(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const int average = op->code == HIL_NN_CODE_AVERAGE_POOL;
    for (uint32_t row = 0; row < op->out_rows; row++) {
        const hil_nn_taps t = hil_nn_taps_of(op, row);
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
                found = op->out_zero + hil_nn_rescaled(found, op->mult, op->shift);
            }
            *y++ = hil_nn_limited(found, op);
        }
    }
}

static void hil_nn_run_add(const hil_nn *nn, const hil_nn_record *op, int8_t *y) {
    const int8_t *a = nn->arena + op->input, *b = nn->arena + op->input2;
    const int32_t half = (int32_t)1 << (op->shift - 1);
    for (uint32_t n = (uint32_t)op->out_rows * op->out_channels; n > 0; n--) {
        const int32_t sum = (*a++ - op->in_zero) * op->mult + (*b++ - op->in2_zero) * op->mult2;
        *y++ = hil_nn_limited(op->out_zero + ((sum + half) >> op->shift), op);
    }
}

static int32_t hil_nn_raw_at(uint8_t raw, const uint8_t *p) {
    switch (raw) {
    case HIL_NN_RAW_I8:
        return (int8_t)p[0];
    case HIL_NN_RAW_U8:
        return p[0];
    case HIL_NN_RAW_I16:
        return (int16_t)hil_nn_u16_at(p);
    case HIL_NN_RAW_U16:
        return hil_nn_u16_at(p);
    default:
        return hil_nn_i32_at(p);
    }
}

static uint32_t hil_nn_raw_size(uint8_t raw) {
    return raw == HIL_NN_RAW_I32 ? 4u : raw == HIL_NN_RAW_I16 || raw == HIL_NN_RAW_U16 ? 2u : 1u;
}

static void hil_nn_run_input(const hil_nn *nn, const hil_nn_record *op, const uint8_t *rows, uint32_t oldest,
                             int8_t *y) {
    const uint32_t n = op->out_channels, size = hil_nn_raw_size(nn->raw);
    const uint8_t *column = nn->blob + op->data, *mult = column + 2u * n, *shift = mult + 4u * n, *offset = shift + n;
    uint32_t row = oldest;
    for (uint32_t left = op->in_rows; left > 0; left--) {
        const uint8_t *p = rows + row * nn->columns * size;
        for (uint32_t c = 0; c < n; c++) {
            const int64_t raw = hil_nn_raw_at(nn->raw, p + hil_nn_u16_at(column + 2u * c) * size);
            int64_t q = raw * hil_nn_i32_at(mult + 4u * c);
            q = (q + hil_nn_i64_at(offset + 8u * c) + ((int64_t)1 << (shift[c] - 1))) >> shift[c];
            *y++ = (int8_t)(q < op->low ? op->low : q > op->high ? op->high : q);
        }
        row = row + 1u == nn->window ? 0u : row + 1u;
    }
}

uint32_t hil_nn_row_size(const hil_nn *nn) {
    return nn->columns * hil_nn_raw_size(nn->raw);
}

const int8_t *hil_nn_run(const hil_nn *nn, const uint8_t *rows, uint16_t oldest, hil_nn_tap tap, void *user) {
    int8_t *out = nn->arena;
    for (uint16_t i = 0; i < nn->ops; i++) {
        const hil_nn_record op = hil_nn_record_at(nn->blob, i);
        out = nn->arena + op.output;
        switch (op.code) {
        case HIL_NN_CODE_INPUT:
            hil_nn_run_input(nn, &op, rows, oldest, out);
            break;
        case HIL_NN_CODE_CONV:
        case HIL_NN_CODE_LINEAR:
            hil_nn_run_conv(nn, &op, out);
            break;
        case HIL_NN_CODE_ADD:
            hil_nn_run_add(nn, &op, out);
            break;
        default:
            hil_nn_run_pool(nn, &op, out);
            break;
        }
        if (tap != NULL) {
            tap(user, (uint8_t)i, out, (uint16_t)(op.out_rows * op.out_channels));
        }
    }
    return out;
}
