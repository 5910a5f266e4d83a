// A real kernel under QEMU: boots it, asks it for one thing after the other, ends it.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { MACHINE } from "./debian-machine.ts";
import { decodeLine, encodeRequest, type Reply, type Request } from "./protocol.ts";

export const QEMU = "qemu-system-aarch64";

/** What boots. */
export interface BootFiles {
  readonly kernel: string;
  readonly initramfs: string;
}

const BOOT_SECONDS = 120;
const ANSWER_SECONDS = 30;

/** Bytes of requests on the line at once: less than the buffer of a terminal, which is 4096. */
const WINDOW_BYTES = 2048;

/** What a request came to: an answer, or the machine went down and said this. */
export type Asked =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "ended"; readonly console: readonly string[] };

/** A machine that boots, is asked, and ends. */
export interface LiveMachine {
  /** Every line of the console that is not an answer. */
  readonly console: readonly string[];
  /** Asks in order; ends early with the request that never returned. */
  readonly ask: (requests: readonly Request[]) => Promise<readonly Asked[]>;
  readonly stop: () => Promise<void>;
}

/** The oracle itself failed: neither the kernel nor the model is to blame. */
export class OracleError extends Error {}

function qemuArguments({ kernel, initramfs }: BootFiles): readonly string[] {
  const console = "console=ttyAMA0 loglevel=7 panic=-1 nokaslr";
  return [
    ...[
      "-M",
      MACHINE.machine,
      "-cpu",
      MACHINE.cpu,
      "-m",
      MACHINE.memory,
      "-smp",
      `${MACHINE.cpus}`,
    ],
    ...["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"],
    ...["-kernel", kernel, "-initrd", initramfs],
    ...["-append", `${console} ${MACHINE.commandLine}`],
  ];
}

/** Machines that run: none is left behind when the process ends. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(143));

/** Lines of a machine that nobody has waited for yet, and who waits for the next. */
interface Lines {
  readonly next: (seconds: number) => Promise<string | undefined>;
}

/** The lines of a child, one at a time; undefined once it has ended. */
function linesOf(child: ChildProcess): Lines {
  const buffered: string[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  const reader = createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY });
  reader.on("line", (line) => {
    buffered.push(line);
    wake();
  });
  reader.on("close", () => {
    ended = true;
    wake();
  });
  const next = async (seconds: number): Promise<string | undefined> => {
    const limit = Date.now() + 1000 * seconds;
    while (buffered.length === 0 && !ended) {
      const left = limit - Date.now();
      if (left <= 0) throw new OracleError(`the machine said nothing for ${seconds} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return buffered.shift();
  };
  return { next };
}

/** Cuts requests into runs that fit on the line at once. */
export function windowsOf(lines: readonly string[]): readonly (readonly string[])[] {
  const windows: string[][] = [[]];
  let bytes = 0;
  for (const line of lines) {
    if (bytes + line.length > WINDOW_BYTES) {
      windows.push([]);
      bytes = 0;
    }
    windows.at(-1)?.push(line);
    bytes += line.length;
  }
  return windows;
}

/** Waits for the first word of the machine. */
async function awaitReady(lines: Lines, console: string[]): Promise<void> {
  for (;;) {
    const line = await lines.next(BOOT_SECONDS);
    if (line === undefined) {
      throw new OracleError(`the kernel did not come up: ${console.slice(-3).join(" / ")}`);
    }
    const said = decodeLine(line);
    if (said.kind === "ready") return;
    if (said.kind === "refused") throw new OracleError(`in the machine: ${said.why}`);
    if (said.kind === "console") console.push(said.text);
  }
}

/** Reads the answer to one request. */
async function awaitReply(lines: Lines, console: string[], serial: number): Promise<Asked> {
  const before = console.length;
  for (;;) {
    const line = await lines.next(ANSWER_SECONDS);
    if (line === undefined) return { kind: "ended", console: console.slice(before) };
    const said = decodeLine(line);
    if (said.kind === "console") console.push(said.text);
    else if (said.kind !== "reply") throw new OracleError("a request came to the machine damaged");
    else if (said.reply.serial !== serial) throw new OracleError("an answer got lost");
    else return said;
  }
}

/** Boots a kernel and waits until it answers. */
export async function bootMachine(files: BootFiles): Promise<LiveMachine> {
  // Detached: Ctrl-C is for us, and a machine that it ended would look like a panic.
  const child = spawn(QEMU, qemuArguments(files), {
    ...{ stdio: ["pipe", "pipe", "ignore"], detached: true },
  });
  running.add(child);
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      running.delete(child);
      resolve();
    };
    child.on("exit", end);
    child.on("error", end);
  });
  child.stdin?.on("error", () => undefined); // It went down while we wrote: its end is read.
  const lines = linesOf(child);
  const console: string[] = [];
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  let serial = 0;
  const ask = async (requests: readonly Request[]): Promise<readonly Asked[]> => {
    const asked: Asked[] = [];
    const first = serial;
    serial += requests.length;
    const encoded = requests.map((request, at) => encodeRequest(first + at, request));
    for (const window of windowsOf(encoded)) {
      child.stdin?.write(window.join(""));
      for (const _ of window) {
        asked.push(await awaitReply(lines, console, first + asked.length));
        if (asked.at(-1)?.kind === "ended") return asked;
      }
    }
    return asked;
  };
  try {
    await awaitReady(lines, console);
  } catch (error) {
    await stop();
    throw error;
  }
  return { console, ask, stop };
}
