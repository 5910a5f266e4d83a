// A batch of programs: puts each one in its place, runs it once, writes down all that it left.

#include "layout.h"

typedef unsigned long u64;
typedef unsigned int u32;

extern u64 capture[CAPTURE_DOUBLEWORDS];
extern u64 semihosting_block[8];
void run_program(const u64 *entry);
// Generated from the list of registers.
void set_registers(void);
u64 *dump_registers(u64 *values);

static u64 semihosting(u64 call, u64 a, u64 b, u64 c) {
  register u64 x0 __asm__("x0") = call;
  register u64 *x1 __asm__("x1") = semihosting_block;
  semihosting_block[0] = a;
  semihosting_block[1] = b;
  semihosting_block[2] = c;
  __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
}

static u64 *copy(u64 *to, const u64 *from, u64 doublewords) {
  while (doublewords--) *to++ = *from++;
  return to;
}

static void clear(u64 *at, u64 doublewords) {
  while (doublewords--) *at++ = 0;
}

// One program. Source of both record formats: tools/recorder/programs/batch.ts.
static const u64 *record_program(const u64 *in, u64 **out) {
  const u64 *entry = in, *code = in + ENTRY_DOUBLEWORDS + 1;
  u64 words = in[ENTRY_DOUBLEWORDS];
  clear((u64 *)CODE, CODE_BYTES / 8);
  copy((u64 *)CODE, code, words / 2);
  copy((u64 *)DATA_PA, (const u64 *)PATTERN, DATA_BYTES / 8);
  clear((u64 *)LOG, LOG_BYTES / 8);
  __asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::: "memory");
  set_registers();
  run_program(entry);
  *out = copy(*out, capture, CAPTURE_DOUBLEWORDS);
  *out = dump_registers(*out);
  *out = copy(*out, (const u64 *)DATA_PA, DATA_BYTES / 8);
  *out = copy(*out, (const u64 *)LOG, LOG_BYTES / 8);
  return code + words / 2;
}

// Runs the batch at BATCH_INPUT and writes the results to the file `results` in one call.
void run_batch(void) {
  const u64 *in = (const u64 *)BATCH_INPUT;
  u64 *out = (u64 *)BATCH_OUTPUT;
  for (u64 programs = *in++; programs--;) in = record_program(in, &out);
  u64 handle = semihosting(1, (u64)"results", 5, 7);
  semihosting(5, handle, BATCH_OUTPUT, (u64)out - BATCH_OUTPUT);
}
