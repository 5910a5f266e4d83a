// Takes .hyp.reloc out of the built module, with the objcopy that the build uses.
//
//   node after-build.mjs FOLDER
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const objcopy = process.env.OBJCOPY ?? "aarch64-linux-gnu-objcopy";
execFileSync(objcopy, [
  "--remove-section=.hyp.reloc",
  "--remove-section=.rela.hyp.reloc",
  join(process.argv[2], "missing_hyp_reloc.ko"),
]);
