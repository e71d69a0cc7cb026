/* What lies between hearing and doing; not for callers. */
#ifndef HIL_DUT_COMMAND_H
#define HIL_DUT_COMMAND_H

#include "hil_dut.h"

/* Does what `line` says, or begins it: hil_dut_poll goes on with what takes longer. */
void hil_dut_obey(hil_dut *dut);

/* Begins to say the last answer; true where there is none, and that was said. */
bool hil_dut_results(hil_dut *dut);

void hil_dut_timestamp(hil_dut *dut);

/* The end of every answer. */
void hil_dut_ready(hil_dut *dut);

#endif
