#!/bin/sh
# Builds the kernels with Debian 12's cross compiler: a flat image, a Linux program, a bare-metal one.
#
#   build.sh [FOLDER]   writes kernels.bin, kernels-user.elf and kernels-system.elf there (here)
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
to=$(cd "${1:-$here}" && pwd)
flags="-O2 -march=armv8-a -mgeneral-regs-only -ffreestanding -fno-builtin
  -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-asynchronous-unwind-tables
  -static -nostdlib -s -Wl,--build-id=none -Wl,-z,max-page-size=4096"
cd "$here"
# shellcheck disable=SC2086
build() { aarch64-linux-gnu-gcc $flags "$@"; }
flat=$(mktemp)
trap 'rm -f "$flat"' EXIT INT TERM
build -T flat.ld start-flat.S kernels.c -o "$flat"
aarch64-linux-gnu-objcopy -O binary "$flat" "$to/kernels.bin"
build -T flat.ld start-system.S kernels.c -o "$to/kernels-system.elf"
build start-user.S kernels.c -o "$to/kernels-user.elf"
chmod -x "$to/kernels.bin" "$to/kernels-system.elf"
