// `npm run bench -- core`: the speed of the core beside other engines, in one run.

import { type Engine, type Missing, withEngines } from "./engines.ts";
import { readRecorded } from "./kernels.ts";
import { geometricMean, measureAll, type Row, type Speed } from "./measure.ts";
import { type Cost, startCosts } from "./start-costs.ts";

/** The geometric mean that is aimed at, in MIPS. */
const AIM = 5;

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const speedText = (speed: Speed): string => ("mips" in speed ? number(speed.mips) : "WRONG");

/** Our speed as a share of another engine's. */
function ratioText(ours: Speed | undefined, theirs: Speed): string {
  return ours !== undefined && "mips" in ours && "mips" in theirs
    ? number(ours.mips / theirs.mips)
    : "-";
}

function rowText({ kernel, instructions, speeds: [ours, ...others] }: Row): string {
  const cells = others.flatMap((other) => [speedText(other), ratioText(ours, other)]);
  return line([kernel, instructions.toFixed(0), ours ? speedText(ours) : "-", ...cells]);
}

function heading(engines: readonly Engine[], missing: readonly Missing[]): string {
  const names = engines.slice(1).flatMap(({ name }) => [name, "ours / it"]);
  const columns = ["kernel", "instructions", "pkvm-spec", ...names];
  return [
    "Millions of instructions in a second of CPU time; every checksum compared.",
    ...engines.map(({ name, version }) => `  ${name}: ${version}`),
    ...missing.map(({ name, wanted }) => `  ${name}: not here (${wanted})`),
    "",
    line(columns),
    line(columns.map((_, i) => (i === 0 ? "---" : "---:"))),
  ].join("\n");
}

/** The row of geometric means; undefined where a checksum was wrong. */
function means(engines: readonly Engine[], rows: readonly Row[]): Row {
  const speeds = engines.map((_, i): Speed => {
    const all = rows.map(({ speeds: row }) => row[i]);
    const right = all.flatMap((speed) => (speed && "mips" in speed ? [speed.mips] : []));
    return right.length === rows.length ? { mips: geometricMean(right) } : { wrong: "" };
  });
  return { kernel: "geometric mean", instructions: 0, speeds };
}

function costText({ what, median, percentile99, aim }: Cost): string {
  const met = median <= aim ? "met" : "MISSED";
  return line([what, median.toFixed(1), percentile99.toFixed(1), `${aim} ${met}`]);
}

/** Measures and prints; 1 if a checksum was wrong. */
export function benchCore(seconds: number, print: (text: string) => void): number {
  return withEngines((engines, missing) => {
    print(heading(engines, missing));
    const rows = measureAll(engines, readRecorded().runs, seconds, (row) => print(rowText(row)));
    const mean = means(engines, rows);
    print(rowText(mean).replace("| 0 |", "| |"));
    const [ours] = mean.speeds;
    const met = ours !== undefined && "mips" in ours && ours.mips >= AIM;
    print(`\nAim: ${AIM} MIPS in the geometric mean: ${met ? "met" : "MISSED"}.\n`);
    print(line(["cost of a machine", "median, µs", "99 %, µs", "aim"]));
    print(line(["---", "---:", "---:", "---:"]));
    for (const cost of startCosts()) print(costText(cost));
    return wrongOnes(engines, rows, print);
  });
}

function wrongOnes(
  engines: readonly Engine[],
  rows: readonly Row[],
  print: (text: string) => void,
): number {
  let status = 0;
  for (const { kernel, speeds } of rows)
    speeds.forEach((speed, i) => {
      if ("mips" in speed) return;
      status = 1;
      print(`WRONG: ${engines[i]?.name}, ${kernel}: ${speed.wrong}`);
    });
  return status;
}
