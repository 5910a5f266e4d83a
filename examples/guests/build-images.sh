#!/bin/sh
# Builds the guest images into a folder: build-images.sh FOLDER. One flat image for each program,
# linked at 0x80000000, entered at its first byte.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for program in "$here"/programs/*.s; do
  name=$(basename "$program" .s)
  cp "$program" "$1/program.s"
  aarch64-linux-gnu-as -I "$1" -o "$1/guest.o" "$here/guest.s"
  aarch64-linux-gnu-ld -Ttext=0x80000000 --build-id=none -o "$1/guest.elf" "$1/guest.o"
  aarch64-linux-gnu-objcopy -O binary "$1/guest.elf" "$1/g_$name.bin"
done
