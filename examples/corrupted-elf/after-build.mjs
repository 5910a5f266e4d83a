// Damages the built module in two ways: a section that is larger than the file, and a file that
// ends early.
//
//   node after-build.mjs FOLDER
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const path = join(folder, "corrupted_elf.ko");
const sound = readFileSync(path);

const SH_SIZE = 32; // offset of sh_size in an Elf64_Shdr of 64 bytes
const headers = Number(sound.readBigUInt64LE(40)); // e_shoff
const corrupted = Buffer.from(sound);
// Section 1 is .hyp.text (kdir/scripts/module.lds); nobody has a terabyte of it.
corrupted.writeBigUInt64LE(1n << 40n, headers + 64 + SH_SIZE);
writeFileSync(path, corrupted);

// The section headers stand at the end of the file, so the first half has none.
writeFileSync(join(folder, "truncated.ko"), sound.subarray(0, sound.length / 2));
