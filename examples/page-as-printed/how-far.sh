#!/bin/sh
# Builds the page's listings as they are printed, mends one thing at a time, and says what stopped
# each build.
#
#   how-far.sh WORKDIR [make arguments]
#
# WORKDIR gets the mended trees. The last tree of "call" compiles, and its .ko still has the two
# errata that no compiler stops (E2 and E3): it is the pkvm_module.ko of this folder. The errata
# have the numbers of README.md.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
kdir=$(cd "$here/../../kdir" && pwd)
work=$1
shift

# attempt NAME TITLE [MAKE ARGUMENT]...: builds $work/NAME and prints what was said, without paths
# and progress.
attempt() {
  name=$1 title=$2
  shift 2
  printf '== %s\n' "$title"
  verdict=built
  make -k -C "$kdir" M="$work/$name" "$@" modules >"$work/log" 2>&1 || verdict=stopped
  sed -e "s|$work/$name/||g" -e "s|$kdir/|kdir/|g" "$work/log" |
    grep -E '(warning|error|Error|ERROR|WARNING|\*\*\*)' | grep -vE '^make|^kdir.*note:' || true
  printf -- '-> %s\n\n' "$verdict"
}

for part in load call; do
  rm -rf "${work:?}/$part"
  cp -R "$here/$part" "$work/$part"
done

attempt load 'Steps 1 to 4, as printed' "$@"
sed -i 's/^         */\t/' "$work/load/Makefile"
attempt load 'E15: tabs before the recipes' "$@"
echo 'MODULE_LICENSE("GPL");' >>"$work/load/el1.c"
attempt load 'E9: MODULE_LICENSE' "$@"

sed -i 's/^         */\t/' "$work/call/Makefile"
attempt call 'With the hypercall; tabs mended, as printed otherwise' "$@"
sed -i 's/\(pkvm_register_el2_mod_call(.*, token)\)$/\1;/' "$work/call/el1.c"
attempt call 'E4: the semicolon' "$@"
sed -i 's/^#include.*/&\n#include <nvhe\/trap_handler.h>/' "$work/call/hyp/el2.c"
attempt call 'E8: the header of cpu_reg' "$@"
echo 'MODULE_LICENSE("GPL");' >>"$work/call/el1.c"
attempt call 'E9: MODULE_LICENSE; E2 and E3 are left as printed' "$@"
