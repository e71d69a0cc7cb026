/* This machine as a device under test (see hil_dut.h). */
#ifndef DUT_NATIVE_H
#define DUT_NATIVE_H

/* Runs for ever with the op list in a file, or none where `path` is NULL; SIGUSR1 is its reset button. Ends the
 * process with status 2 where the file cannot be read. */
void dut_native_run(const char *name, const char *path);

#endif
