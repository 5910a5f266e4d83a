#!/bin/sh
# Records what the kernels compute, without our core: the same C on this machine, QEMU and Unicorn.
#
#   record.sh >expected.json    exit 1: the three do not agree; 2: one of them is not installed
#
# Debian: gcc qemu-user libunicorn-dev. The number of instructions is Unicorn's.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
for tool in gcc qemu-aarch64; do
  command -v "$tool" >/dev/null || { echo "record.sh: $tool not found" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
gcc -O1 -fwrapv -fno-strict-aliasing "$here/print-native.c" "$here/kernels.c" -o "$work/native"
gcc -O1 "$here/count-unicorn.c" -lunicorn -o "$work/unicorn" ||
  { echo "record.sh: Unicorn not found" >&2; exit 2; }
qemu=$(qemu-aarch64 --version | head -1)
unicorn=$(pkg-config --modversion unicorn)
echo '{'
cat <<END
  "recorder": [
    "native: gcc $(gcc -dumpfullversion) $(gcc -dumpmachine)",
    "$qemu",
    "Unicorn $unicorn"
  ],
END
echo '  "runs": ['
separator=
for kernel in 0 1 2 3 4 5 6 7; do
  for iterations in 1 2 3; do
    native=$("$work/native" $kernel $iterations)
    user=$(qemu-aarch64 "$here/kernels-user.elf" $kernel $iterations)
    counted=$("$work/unicorn" "$here/kernels.bin" $kernel $iterations)
    if [ "$native" != "$user" ] || [ "$native" != "${counted% *}" ]; then
      echo "record.sh: kernel $kernel, $iterations: $native $user $counted" >&2
      exit 1
    fi
    [ -z "$separator" ] || echo ','
    printf '    { "kernel": %d, "iterations": %d, "checksum": "%s", "instructions": %d }' \
      $kernel $iterations "$native" "${counted#* }"
    separator=,
  done
done
printf '\n  ]\n}\n'
