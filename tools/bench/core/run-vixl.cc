// Runs one kernel in VIXL's simulator, whose guest memory is the memory of this process.
// Usage: run-vixl IMAGE KERNEL ITERATIONS; prints the checksum and the CPU seconds.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "aarch64/decoder-aarch64.h"
#include "aarch64/simulator-aarch64.h"

namespace a64 = vixl::aarch64;

static constexpr uint64_t kImage = 0x40080000;
static constexpr uint64_t kScratch = 0x48000000;
static constexpr size_t kSizeBytes = 1 << 20;

static void *map_at(uint64_t address) {
  void *at = reinterpret_cast<void *>(address);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  return mmap(at, kSizeBytes, PROT_READ | PROT_WRITE, flags, -1, 0) == at ? at : nullptr;
}

static double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int count, char **args) {
  void *image = map_at(kImage);
  FILE *file = count == 4 ? fopen(args[1], "rb") : nullptr;
  if (!file || !image || !map_at(kScratch) || fread(image, 1, kSizeBytes, file) == 0) return 2;
  a64::Decoder decoder;
  a64::Simulator simulator(&decoder);
  simulator.WriteXRegister(0, strtol(args[2], nullptr, 0));
  simulator.WriteXRegister(1, strtol(args[3], nullptr, 0));
  simulator.WriteXRegister(2, kScratch);
  double start = cpu_seconds();
  simulator.RunFrom(reinterpret_cast<a64::Instruction *>(kImage));
  printf("%016lx %.6f\n", simulator.ReadXRegister(0), cpu_seconds() - start);
  return 0;
}
