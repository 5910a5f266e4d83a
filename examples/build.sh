#!/bin/sh
# Builds every example with Debian 12's cross compiler, or checks that the committed .ko files are
# what it builds.
#
#   build.sh [NAME...]           builds the named examples (all), leaves the files beside the sources
#   build.sh --check [NAME...]   builds into a temporary folder and compares byte for byte;
#                                exit 1: a file differs; 2: the compiler is not the recorded one,
#                                so that bytes say nothing
#
# Nothing but the .ko and .bin files, COMPILERS.txt and what-the-build-says.txt is written beside
# the sources.
set -eu
export LC_ALL=C
examples=$(cd "$(dirname "$0")" && pwd)
kdir=$(cd "$examples/../kdir" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

check=no
if [ "${1-}" = --check ]; then
  check=yes
  shift
fi

# The environment must not change what is built.
unset KMI LLVM CC CROSS_COMPILE ARCH KCFLAGS KAFLAGS M V STRUCT_MODULE KBUILD_MODPOST_WARN MAKEFLAGS

if ! command -v aarch64-linux-gnu-gcc >/dev/null 2>&1; then
  echo "build.sh: aarch64-linux-gnu-gcc not found: apt install gcc-aarch64-linux-gnu make" >&2
  exit 2
fi
compilers=$(aarch64-linux-gnu-gcc --version | head -1; aarch64-linux-gnu-ld --version | head -1)
if [ "$check" = yes ] && [ "$compilers" != "$(cat "$examples/COMPILERS.txt")" ]; then
  printf 'build.sh: the committed files were built by\n%s\nand this is\n%s\n' \
    "$(cat "$examples/COMPILERS.txt")" "$compilers" >&2
  exit 2
fi

# finish FILE TARGET: the built FILE becomes TARGET, or is compared with it.
differences=0
finish() {
  if [ "$check" = no ]; then
    cp "$1" "$2"
    echo "built ${2#"$examples"/}"
  elif cmp -s "$1" "$2"; then
    echo "same ${2#"$examples"/}"
  else
    echo "DIFFERENT ${2#"$examples"/}"
    differences=$((differences + 1))
  fi
}

build_one() {
  name=$1
  mkdir -p "$work/$name"
  (cd "$examples/$name" &&
    tar cf - --exclude='*.ko' --exclude='*.bin' --exclude='*.o' --exclude='*.mod.c' .) |
    tar xf - -C "$work/$name"
  if [ "$name" = page-as-printed ]; then
    "$examples/$name/how-far.sh" "$work/$name" >"$work/$name/what-the-build-says.txt"
    finish "$work/$name/what-the-build-says.txt" "$examples/$name/what-the-build-says.txt"
    finish "$work/$name/call/pkvm_module.ko" "$examples/$name/pkvm_module.ko"
    return
  fi
  if [ "$name" = guests ]; then
    "$examples/guests/build-images.sh" "$work/guests"
    for built in "$work/guests"/*.bin; do finish "$built" "$examples/guests/${built##*/}"; done
    return
  fi
  arguments=
  if [ -f "$examples/$name/build-args" ]; then arguments=$(cat "$examples/$name/build-args"); fi
  # shellcheck disable=SC2086 # the arguments are several words
  if ! make -C "$kdir" M="$work/$name" $arguments modules >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "build.sh: $name does not build" >&2
    exit 1
  fi
  after=$examples/$name/after-build.mjs
  if [ -f "$after" ]; then node "$after" "$work/$name"; fi
  for built in "$work/$name"/*.ko; do finish "$built" "$examples/$name/${built##*/}"; done
}

if [ $# -eq 0 ]; then
  for folder in "$examples"/*/; do set -- "$@" "$(basename "$folder")"; done
fi
for name in "$@"; do
  if [ ! -d "$examples/$name" ]; then
    echo "build.sh: there is no example $name" >&2
    exit 2
  fi
  build_one "$name"
done

if [ "$check" = no ]; then echo "$compilers" >"$examples/COMPILERS.txt"; fi
if [ "$differences" -gt 0 ]; then
  echo "build.sh: $differences files differ from what their sources build" >&2
  exit 1
fi
