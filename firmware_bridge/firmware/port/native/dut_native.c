#include "dut_native.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hil_dut.h"

enum { BLOB_BYTES = 1 << 20, ARENA_BYTES = 1 << 18, WINDOW_BYTES = 1 << 17 };

static hil_dut dut;
static uint8_t blob[BLOB_BYTES];
static int8_t arena[ARENA_BYTES];
static uint8_t window[WINDOW_BYTES];
static char model[64] = "none";
static volatile sig_atomic_t pressed;

static void press(int number)
{
    (void)number;
    pressed = 1;
}

static uint32_t read_blob(const char *path)
{
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(blob, 1, sizeof blob, file) : 0;

    if (size == 0 || size == sizeof blob) {
        fprintf(stderr, "%s: it holds no op list of less than %d bytes\n", path, BLOB_BYTES);
        exit(2);
    }
    (void)fclose(file);
    return (uint32_t)size;
}

/* A network is called what its file is called, without folder and ending. */
static void name_model(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;

    (void)snprintf(model, sizeof model, "%.*s", (int)strcspn(base, "."), base);
}

void dut_native_run(const char *name, const char *path)
{
    struct sigaction button = {.sa_handler = press};
    hil_dut_parts parts = {name, model, blob, 0, arena, sizeof arena, window, sizeof window};

    if (path != NULL) {
        parts.blob_size = read_blob(path);
        name_model(path);
    }
    (void)sigaction(SIGUSR1, &button, NULL);
    for (pressed = 1;;) {
        if (pressed != 0) {
            pressed = 0;
            hil_dut_start(&dut, &parts);
        }
        hil_dut_poll(&dut);
        hal_wait(hil_dut_idle(&dut));
    }
}
