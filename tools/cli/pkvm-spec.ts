#!/usr/bin/env node
// The command line: `pkvm-spec COMMAND`.

import { Command } from "commander";
import { registerExec } from "../exec.ts";
import { registerBranches } from "./branches.ts";
import { registerCheck } from "./check.ts";
import { quiet, runMain } from "./exit.ts";
import { registerExplainInsn } from "./explain-insn.ts";
import { registerFindings } from "./findings.ts";
import { registerReplay } from "./replay.ts";
import { registerRun } from "./run.ts";
import { registerSearch } from "./search.ts";
import { registerShrink } from "./shrink.ts";

const program = quiet(
  new Command("pkvm-spec").description(
    "Executable specification of pKVM's vendor-module lifecycle and HVC dispatch",
  ),
);
registerRun(program);
registerCheck(program);
registerReplay(program);
registerBranches(program);
registerSearch(program);
registerShrink(program);
registerFindings(program);
registerExplainInsn(program);
registerExec(program);

await runMain(program, process.argv);
