// The init and exit of a module: relocations of its struct module, and of nothing else.

import { expect, test } from "vitest";
import { readElf } from "../../../model/elf/read.ts";
import { readThisModule } from "../../../model/elf/this-module.ts";
import { AX, buildElf, MODULE_SECTIONS } from "./build-elf.ts";

const ABS64 = 257;

test("a pointer to init_module in other data is not the module's init", () => {
  const to = (target: string, offset: number) => ({
    ...{ target, offset, type: ABS64 },
    ...{ symbol: "init_module", addend: 0n },
  });
  const read = readElf(
    buildElf({
      sections: [
        { name: ".text", flags: AX, bytes: new Uint8Array(64), align: 8 },
        ...MODULE_SECTIONS,
      ],
      symbols: [{ name: "init_module", section: ".text", value: 0n }],
      relocations: [to(".text", 8), to(".gnu.linkonce.this_module", 0x18)],
    }),
  );
  if (!read.ok) throw new Error(read.error);
  expect(readThisModule(read.elf).init?.offset).toBe(0x18);
});
