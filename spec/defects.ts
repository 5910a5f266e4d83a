// The defects of real branches, by their numbers in the lists that the project started from, and
// those that a search found first: which rule each breaks where, or why the model does not say it.

import type { BranchName } from "./branches/branch.ts";
import type { RuleId } from "./findings.ts";

/**
 * F: failure paths of a load. O: defects seen in the sources. E: errata of the Android page. B:
 * what was measured and is not what is meant. S: what a search of this project came to first.
 */
export type DefectId = `${"F" | "O" | "E" | "B" | "S"}${number}`;

/** One defect. */
export interface Defect {
  readonly id: DefectId;
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** The branches that have it, as measured or read. */
  readonly branches: readonly BranchName[];
  /** The rules that it breaks on them; none: then `why` says why. */
  readonly rules: readonly RuleId[];
  readonly why?: string;
}

const VENDOR = ["android14-6.1", "android15-6.6", "android16-6.12", "android17-6.18"] as const;
const UP_TO_6_12 = ["android14-6.1", "android15-6.6", "android16-6.12"] as const;
const ONLY_6_1 = ["android14-6.1"] as const;

const NO_VMS = "the VM hypercalls of this branch are not modelled";

const ofLoading: readonly Defect[] = [
  {
    id: "F1",
    what: "A failing EL2 init is unmapped from an unshifted table: the hypervisor panics.",
    branches: UP_TO_6_12,
    rules: ["DOC-13"],
  },
  {
    id: "F2",
    what: "What a failing EL2 init registered stays registered.",
    branches: VENDOR,
    rules: ["INV-17", "MOD-8"],
  },
  {
    id: "F3",
    what: "A failing relocation of imports leaks the module's reference and its EL2 addresses.",
    branches: ["android16-6.12", "android17-6.18"],
    rules: ["LOAD-49", "INV-35"],
  },
  {
    id: "F4",
    what: "The token is written although the load fails.",
    branches: UP_TO_6_12,
    rules: ["INV-38"],
  },
  {
    id: "F5",
    what: "The EL2 addresses of a failed load are never used again.",
    branches: VENDOR,
    rules: ["INV-35"],
  },
  {
    id: "F6",
    what: "Until the key is set EL2 takes any page that the host names for a module's.",
    branches: VENDOR,
    rules: ["INV-37"],
  },
  {
    id: "F7",
    what: "A failing map is unmapped from the shifted table, which is right.",
    branches: [],
    rules: [],
    why: "no defect: DOC-13 holds there (properties/model/failing-loads.test.ts)",
  },
];

const ofSources: readonly Defect[] = [
  { id: "O1", what: "As F1.", branches: UP_TO_6_12, rules: ["DOC-13"] },
  {
    id: "O2",
    what: "As F3.",
    branches: ["android16-6.12", "android17-6.18"],
    rules: ["LOAD-49", "INV-35"],
  },
  {
    id: "O3",
    what: "A page of a module is the host's before EL2 stops mapping it.",
    branches: ["android14-6.1", "android15-6.6"],
    rules: ["LOAD-47"],
  },
  {
    id: "O4",
    what: "A number of pages that overflows is not refused when protection changes.",
    branches: ONLY_6_1,
    rules: ["OWN-80"],
  },
  {
    id: "O5",
    what: "A cleared firmware is still advertised.",
    branches: ["android15-6.6"],
    rules: ["INV-4"],
  },
  {
    id: "O6",
    what: "Where privileges cannot be dropped, it is logged and the firmware stays.",
    branches: ["android16-6.12"],
    rules: [],
    why: "that dropping failed is no state of the model; what it costs is data of the branch",
  },
  {
    id: "O7",
    what: "The op map_module_page is declared and NULL.",
    branches: ["android17-6.18"],
    rules: ["ABI-24"],
  },
  {
    id: "O8",
    what: "A root that is not aligned is answered with 0, and there is no VM.",
    branches: ["android14-6.1", "android17-6.18"],
    rules: ["VM-87"],
    why: `android17-6.18: ${NO_VMS}; mainline-7.3 refuses it (VM-97)`,
  },
  {
    id: "O9",
    what: "References to a VM that is dying can be taken, so that its end fails.",
    branches: ["android17-6.18"],
    rules: [],
    why: NO_VMS,
  },
  {
    id: "O10",
    what: "A failed share of a list of pages gives a restriction back without its NOPAGE.",
    branches: ["android17-6.18"],
    rules: [],
    why: "lists of pages are not modelled",
  },
  {
    id: "O11",
    what: "A share of a guest with EL2 that fails leaves the page borrowed.",
    branches: ["android17-6.18"],
    rules: [],
    why: NO_VMS,
  },
  {
    id: "O12",
    what: "An unshare of a guest adds to what it should subtract from.",
    branches: ["android16-6.12"],
    rules: [],
    why: NO_VMS,
  },
  {
    id: "O13",
    what: "An FF-A call before the version is negotiated is swallowed.",
    branches: ["android15-6.6"],
    rules: ["SMC-32"],
  },
  {
    id: "O14",
    what: "With the SVE hint every id is unknown.",
    branches: ["android14-6.1", "mainline-6.1"],
    rules: ["DISP-55"],
  },
  {
    id: "O15",
    what: "A test of DMA answers +EINVAL and looks at the whole range at once.",
    branches: ["android16-6.12"],
    rules: [],
    why: "the op is not modelled",
  },
  {
    id: "O16",
    what: "The header says the answers of a handler of permission faults the wrong way round.",
    branches: ["android16-6.12", "android17-6.18"],
    rules: [],
    why: "a comment; the answers themselves are modelled, and turning them round is fault M32",
  },
  { id: "O17", what: "As F2.", branches: VENDOR, rules: ["INV-17", "MOD-8"] },
  {
    id: "O18",
    what: "Two vCPUs can race for the first entry of a VM.",
    branches: [],
    rules: [],
    why: "an older 6.1 than the one that is modelled; put back, it is fault M53",
  },
  {
    id: "O19",
    what: "The second finalisation of a CPU answers -EINVAL, and its caller looks for -EPERM.",
    branches: ["android17-6.18"],
    rules: ["LIFE-53"],
  },
  {
    id: "O20",
    what: "A module sets HCR_EL2 of one CPU only.",
    branches: UP_TO_6_12,
    rules: ["INV-36"],
  },
];

const ofThePage: readonly Defect[] = [
  {
    id: "E11",
    what: "The page: no protected VM after a failed load. The kernels only wipe the firmware.",
    branches: VENDOR,
    rules: ["DOC-10", "INV-1"],
  },
  {
    id: "E13",
    what: "The page's example fails after a good load: EL2 owns memory that is freed.",
    branches: VENDOR,
    rules: ["DOC-14", "INV-23", "MOD-9"],
  },
];

const measured: readonly Defect[] = [
  { id: "B10", what: "As O8.", branches: ONLY_6_1, rules: ["VM-87"] },
  {
    id: "B11",
    what: "A refused call for a VM or a vCPU wipes the memory that was given for it.",
    branches: ONLY_6_1,
    rules: ["VM-88"],
  },
  {
    id: "B15",
    what: "Calls of a guest accept an address between pages.",
    branches: ONLY_6_1,
    rules: ["GUEST-28"],
  },
  {
    id: "B16",
    what: "A page relinquished by such an address is known to EL2 and not to the host.",
    branches: ONLY_6_1,
    rules: ["GUEST-29"],
  },
  { id: "B22", what: "As E11.", branches: VENDOR, rules: ["DOC-10", "INV-1"] },
  { id: "B24", what: "As F1.", branches: UP_TO_6_12, rules: ["DOC-13"] },
  {
    id: "B26",
    what: "Any address is registered in production; a module can finalise its CPU early.",
    branches: VENDOR,
    rules: ["INV-16", "INV-18", "INV-7"],
  },
  { id: "B27", what: "As E13.", branches: VENDOR, rules: ["DOC-14", "INV-23", "MOD-9"] },
  {
    id: "B29",
    what: "A donation beyond EL2's addresses panics the hypervisor in production.",
    branches: ONLY_6_1,
    rules: ["OWN-79"],
  },
];

const searched: readonly Defect[] = [
  {
    id: "S1",
    what: "A SYSTEM_RESET2 that the firmware refuses has wiped the guests' firmware all the same.",
    branches: VENDOR,
    rules: ["INV-34"],
  },
];

/** All of them, in the order of the lists. */
export const DEFECTS: readonly Defect[] = [
  ...ofLoading,
  ...ofSources,
  ...ofThePage,
  ...measured,
  ...searched,
];
