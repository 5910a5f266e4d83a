// Faults in what the host gets for its SMCs and its aborts: M32 to M34, M61.

import type { NamedMutant } from "../mutant.ts";

const SMC = "model/smc/host-smc.ts";

export const HOST_MUTANTS: readonly NamedMutant[] = [
  {
    id: "M32",
    wrong: "What a handler of permission faults returns is read the wrong way round.",
    change: {
      file: "model/ownership/host-faults.ts",
      from: "if (value === 0 || isAlone(hyp)) return returned(value);",
      to: 'if (value === 0 || isAlone(hyp)) return returned(value === 0 ? negative("EPERM") : 0);',
    },
    spokenOfBy: ["OWN-72", "OWN-74", "OWN-75", "OWN-76"],
  },
  {
    id: "M33",
    wrong: "A handler that leaves an SMC to others is taken for one that kept it.",
    change: {
      file: SMC,
      from: 'if (handled) return { kind: "registers", x };',
      to: 'if (typeof handled === "boolean") return { kind: "registers", x };',
    },
    spokenOfBy: ["SMC-31"],
  },
  {
    id: "M34",
    wrong: "An SMC that a handler kept goes to the firmware all the same.",
    change: {
      file: SMC,
      from: 'if (handled) return { kind: "registers", x };',
      to: 'if (typeof handled !== "boolean") return { kind: "registers", x };',
    },
    spokenOfBy: ["SMC-30"],
  },
  {
    id: "M61",
    wrong: "The abort of a host on another's page is swallowed, and the host tries for ever.",
    change: {
      file: "model/ownership/host-mem-abort.ts",
      from: 'effect: () => returned(negative("EPERM")),',
      to: "effect: () => returned(0),",
    },
    spokenOfBy: ["OWN-64", "OWN-63"],
  },
];
