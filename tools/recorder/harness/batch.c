// A batch of vectors: prepares memory and registers, runs each vector once, writes down what changed.

#include "layout.h"

typedef unsigned long u64;
typedef unsigned char u8;

struct entry {
  u64 pc, spsr, sp_el0, sp_el1, sp_el2, x[31];
};

struct capture {
  u64 x[31], sp_el2, sp_el0, sp_el1, elr, spsr, pstate, vector;
};

struct region {
  u64 *memory, *expected;
  u64 doublewords;
};

extern struct capture capture;
extern u64 semihosting_block[8];
void run_vector(const struct entry *entry);
// Generated from the list of observed registers.
void dump_registers(u64 *values);
void set_register(u64 index, u64 value);
extern const u8 controls_translation[REGISTER_COUNT];

static u64 base[REGISTER_COUNT], current[REGISTER_COUNT], seen[REGISTER_COUNT];
static u8 wanted[REGISTER_COUNT];
static u64 desired[REGISTER_COUNT];
static struct region regions[REGION_MAX];
static u64 region_count, tag_granules;
static u64 undo_address[POKE_MAX], undo_value[POKE_MAX];

static u64 expected_tag(u64 granule) { return (granule * 5 + 3) & 15; }

static struct region *region_of(u64 address) {
  for (u64 i = 0; i < region_count; i++) {
    u64 start = (u64)regions[i].memory;
    if (address >= start && address < start + 8 * regions[i].doublewords) return &regions[i];
  }
  return 0;
}

static void poke(u64 address, u64 value) {
  struct region *region = region_of(address);
  // A page with code in it is costly to write to, and most code is already there.
  if (*(volatile u64 *)address != value) *(volatile u64 *)address = value;
  if (region) region->expected[(address - (u64)region->memory) / 8] = value;
}

// The kinds of controls_translation, as bits.
static void invalidate_tlb(u64 kinds) {
  if (!kinds) return;
  __asm__ volatile("dsb sy" ::: "memory");
  if (kinds & 1) __asm__ volatile("tlbi alle1" ::: "memory");
  if (kinds & 2) __asm__ volatile("tlbi alle2" ::: "memory");
  __asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

// SCTLR_EL2 with M clear, and all RES1 bits.
#define UNTRANSLATED 0x30c50830

static void set_and_note(u64 index, u64 value) {
  set_register(index, value);
  current[index] = value;
}

// Brings every system register to the vector's value, or back to the base value. SCTLR_EL2 comes
// last; before a change of EL2's tables it switches translation off.
static void set_registers(const u64 *settings, u64 count) {
  u64 translation = 0, sctlr = base[SCTLR_EL2_INDEX];
  for (u64 i = 0; i < count; i++) {
    desired[settings[2 * i]] = settings[2 * i + 1];
    wanted[settings[2 * i]] = 1;
  }
  for (u64 i = 0; i < REGISTER_COUNT; i++) {
    u64 value = wanted[i] ? desired[i] : base[i];
    wanted[i] = 0;
    if (i == SCTLR_EL2_INDEX) sctlr = value;
    if (i == SCTLR_EL2_INDEX || value == current[i]) continue;
    if (controls_translation[i] == 2) set_and_note(SCTLR_EL2_INDEX, UNTRANSLATED);
    set_and_note(i, value);
    translation |= controls_translation[i];
  }
  if (sctlr != current[SCTLR_EL2_INDEX]) {
    __asm__ volatile("isb" ::: "memory");
    set_and_note(SCTLR_EL2_INDEX, sctlr);
    translation |= 2;
  }
  __asm__ volatile("isb" ::: "memory");
  invalidate_tlb(translation);
}

static u64 *write_registers(u64 *out, u64 *count) {
  u64 translation = 0;
  *count = 0;
  dump_registers(seen);
  for (u64 i = 0; i < REGISTER_COUNT; i++) {
    if (seen[i] == current[i]) continue;
    *out++ = i;
    *out++ = seen[i];
    ++*count;
    // What the register reads as is not always what was written; what it should be is set again.
    current[i] = seen[i];
    translation |= controls_translation[i];
  }
  invalidate_tlb(translation);
  return out;
}

static u64 *write_memory(u64 *out, u64 mask, u64 *count) {
  *count = 0;
  for (u64 r = 0; r < region_count; r++) {
    if (!(mask >> r & 1)) continue;
    u64 *memory = regions[r].memory, *expected = regions[r].expected;
    for (u64 i = 0; i < regions[r].doublewords; i += 8) {
      u64 *m = memory + i, *e = expected + i;
      u64 difference = (m[0] ^ e[0]) | (m[1] ^ e[1]) | (m[2] ^ e[2]) | (m[3] ^ e[3]) |
                       (m[4] ^ e[4]) | (m[5] ^ e[5]) | (m[6] ^ e[6]) | (m[7] ^ e[7]);
      if (!difference) continue;
      // A table that the hardware wrote: what the TLB knows of it must go.
      if (r) invalidate_tlb(3);
      for (u64 j = 0; j < 8; j++) {
        if (m[j] == e[j]) continue;
        *out++ = (u64)&m[j];
        *out++ = m[j];
        ++*count;
        m[j] = e[j];
      }
    }
  }
  return out;
}

#ifdef HAS_MTE
static void set_tag(u64 address, u64 tag) {
  __asm__ volatile("stg %0, [%1]" ::"r"(tag << 56), "r"(address) : "memory");
}

static u64 *write_tags(u64 *out, u64 *count) {
  *count = 0;
  for (u64 i = 0; i < tag_granules; i++) {
    u64 address = WINDOW + 16 * i, tagged = address;
    __asm__ volatile("ldg %0, [%1]" : "+r"(tagged) : "r"(address) : "memory");
    u64 tag = tagged >> 56 & 15;
    if (tag == expected_tag(i)) continue;
    *out++ = address;
    *out++ = tag;
    ++*count;
    set_tag(address, expected_tag(i));
  }
  return out;
}

static void set_tags(void) {
  for (u64 i = 0; i < tag_granules; i++) set_tag(WINDOW + 16 * i, expected_tag(i));
}
#endif

// One vector. Source of the two record formats: tools/recorder/batch-format.ts.
static u64 *record_vector(const u64 *in, u64 *out) {
  u64 flags = in[1], pokes = in[38] & 0xffffffff, settings = in[38] >> 32;
  const u64 *poke_list = in + 39, *setting_list = poke_list + 2 * pokes;
  u64 *record = out, undo = 0;
  struct entry entry;
  for (u64 i = 0; i < 36; i++) ((u64 *)&entry)[i] = in[2 + i];
  set_registers(setting_list, settings);
  for (u64 i = 0; i < pokes; i++) {
    u64 address = poke_list[2 * i];
    if (region_of(address)) {
      undo_address[undo] = address;
      undo_value[undo++] = *(u64 *)address;
    }
    poke(address, poke_list[2 * i + 1]);
  }
  if (settings) dump_registers(current);
  out = record + RESULT_FIXED;
  for (u64 i = 0; i < settings; i++) *out++ = current[setting_list[2 * i]];
  run_vector(&entry);
  for (u64 i = 0; i < 38; i++) record[4 + i] = ((u64 *)&capture)[i];
  u64 register_changes, memory_changes, tag_changes = 0;
  out = write_registers(out, &register_changes);
  out = write_memory(out, flags & FLAG_REGIONS, &memory_changes);
#ifdef HAS_MTE
  if (flags & FLAG_TAGS) out = write_tags(out, &tag_changes);
#endif
  while (undo--) poke(undo_address[undo], undo_value[undo]);
  record[0] = out - record;
  record[1] = settings | register_changes << 32;
  record[2] = memory_changes;
  record[3] = tag_changes;
  return out;
}

static u64 semihosting(u64 call, u64 a, u64 b, u64 c) {
  register u64 x0 __asm__("x0") = call;
  register u64 *x1 __asm__("x1") = semihosting_block;
  semihosting_block[0] = a;
  semihosting_block[1] = b;
  semihosting_block[2] = c;
  __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
}

// Writes the code of all vectors, as far as it is in slots of their own.
static void write_code(const u64 *in, u64 vectors) {
  for (; vectors--; in += in[0])
    for (u64 i = 0, count = in[38] & 0xffffffff; i < count; i++)
      if (!region_of(in[39 + 2 * i])) poke(in[39 + 2 * i], in[40 + 2 * i]);
}

// Runs the batch at BATCH_INPUT and writes the results to the file `results` in one call.
void record_batch(void) {
  const u64 *in = (const u64 *)BATCH_INPUT;
  u64 *out = (u64 *)BATCH_OUTPUT, *shadow = (u64 *)SHADOW;
  u64 vectors = in[1];
  tag_granules = in[2];
  region_count = in[3];
  in += 4;
  for (u64 i = 0; i < region_count; i++, in += 2) {
    regions[i].memory = (u64 *)in[0];
    regions[i].doublewords = in[1] / 8;
    regions[i].expected = shadow;
    for (u64 j = 0; j < regions[i].doublewords; j++) *shadow++ = regions[i].memory[j];
  }
  dump_registers(current);
  for (u64 i = 0; i < REGISTER_COUNT; i++) base[i] = *in++;
  set_registers(0, 0);
  dump_registers(current);
  for (u64 i = 0; i < REGISTER_COUNT; i++) base[i] = *out++ = current[i];
#ifdef HAS_MTE
  set_tags();
#endif
  write_code(in, vectors);
  for (; vectors--; in += in[0]) out = record_vector(in, out);
  u64 handle = semihosting(1, (u64)"results", 5, 7);
  semihosting(5, handle, BATCH_OUTPUT, (u64)out - BATCH_OUTPUT);
}
