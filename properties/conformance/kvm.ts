// How the records of KVM become actions of a process, and how our answers to them are told.

import { KVM_EXIT, type KvmExit } from "../../model/kernel/kvm/run.ts";
import type { LogEvent } from "../../model/log.ts";
import type { HostAction } from "../../model/scenario.ts";
import { KVM_CAP_ARM_PROTECTED_VM } from "../../model/vm/kvm.ts";
import type { RecordOf, TraceRecord } from "./trace.ts";

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A word of a script: a number in C's notation. */
const numeral = (word: string | undefined): bigint | undefined =>
  word !== undefined && /^(?:0x[0-9a-fA-F]+|\d+)$/.test(word) ? BigInt(word) : undefined;

type Words = readonly (bigint | undefined)[];

const small = (words: Words, n: number): number => Number(words[n] ?? 0n);

/** The image that kmem reads: its name without folder and ending. */
export const imageName = (path: string | undefined): string =>
  /^(?:.*\/)?([\w-]+)\.bin$/.exec(path ?? "")?.[1] ?? "";

/** What an ioctl's record asks for; undefined for what is not modelled. */
export function ioctlAction({ op, args }: RecordOf<"ioctl">): HostAction | undefined {
  const words = args.map(numeral);
  const vm = small(words, 0);
  const vcpu = small(words, 1);
  switch (op) {
    case "kvm":
      return { kind: "KVM_CREATE_VM", vm, type: small(words, 1) };
    case "kvcpu":
      return { kind: "KVM_CREATE_VCPU", vm, vcpu };
    case "kinit":
      return { kind: "KVM_ARM_VCPU_INIT", vm, vcpu, features: small(words, 2) };
    case "kmem": {
      const image = imageName(args[3]);
      return { kind: "give_memory", vm, gpa: words[1] ?? 0n, bytes: words[2] ?? 0n, image };
    }
    case "kreg": {
      const register = args[2] === "pc" ? "pc" : small(words, 2);
      return { kind: "KVM_SET_ONE_REG", vm, vcpu, register, value: words[3] ?? 0n };
    }
    case "kcap":
      return { kind: "KVM_CHECK_EXTENSION", capability: vm };
    case "kcapen": {
      const [, capability, flags, ipa] = words;
      const firmware = capability === BigInt(KVM_CAP_ARM_PROTECTED_VM) && flags === 0n;
      return firmware ? { kind: "KVM_SET_FW_IPA", vm, ipa: ipa ?? 0n } : undefined;
    }
    case "kclose":
      return { kind: "KVM_CLOSE", vm };
  }
}

/** The driver's own limit. Source: the recorder's scripts, `krun 0 0 2000`. */
const TIMES = 2000;

/** Whether a record is part of what one `krun` of a script prints. */
const isOfRun = ({ kind }: TraceRecord): boolean => kind === "krun" || kind === "guest";

/** Whether the loop ends with a record: any exit but one for a device. */
const ends = (record: TraceRecord): boolean =>
  record.kind === "krun" && record.exit !== KVM_EXIT.mmio;

/**
 * The run that begins at a record, if one does: what the driver printed of it is the row of records
 * up to an exit that is not for a device.
 */
export function runAction(records: readonly TraceRecord[], at: number): HostAction | undefined {
  const record = records[at];
  if (record === undefined || !isOfRun(record)) return undefined;
  const before = records[at - 1];
  if (before !== undefined && isOfRun(before) && !ends(before)) return undefined;
  const exit = records.slice(at).find((later): later is RecordOf<"krun"> => later.kind === "krun");
  const [vm, vcpu] = exit?.args?.map((word) => Number(word)) ?? [exit?.vm, exit?.vcpu];
  return { kind: "run_guest", vm: vm ?? 0, vcpu: vcpu ?? 0, times: TIMES };
}

/** What the process printed of an ioctl. */
export const ioctlText = (value: number): string =>
  value < 0 ? `ret -1, errno ${-value}` : `ret ${value}, errno 0`;

export const recordedIoctl = ({ ret, errno, outcome }: RecordOf<"ioctl">): string =>
  outcome ?? `ret ${ret}, errno ${errno}`;

/** The device at which a guest hands out its log. */
const SINK = 0x900_0000n;
const ENTRY_WORDS = 8;
const LOAD_MARK = 0x10ad_001dn;
const STORE_MARK = 0x57e0_001en;

/** One entry of a guest's log as a line. Source: the traces' guests, 8 words an entry. */
function entryText(words: readonly bigint[]): string {
  const [mark = 0n, address = 0n, esr = 0n, far = 0n, value = 0n] = words;
  const abort = `ipa ${hex(address)} ESR ${hex(esr)} FAR ${hex(far)}`;
  if (mark === LOAD_MARK) return `guest-load ${abort} ${hex(value)}`;
  if (mark === STORE_MARK) return `guest-store ${abort}`;
  const [before, after] = [words.slice(1, 4), words.slice(4, 8)];
  return `guest-hvc ${hex(mark)} ${before.map(hex).join(" ")}: ${after.map(hex).join(" ")}`;
}

function entryTexts(words: readonly bigint[]): readonly string[] {
  const count = Math.floor(words.length / ENTRY_WORDS);
  return Array.from({ length: count }, (_, n) =>
    entryText(words.slice(n * ENTRY_WORDS, (n + 1) * ENTRY_WORDS)),
  );
}

/** What a guest logged, as the trace has it. */
export function recordedGuest(record: RecordOf<"guest">): string {
  if (record.op === "guest-hvc") {
    return `guest-hvc ${record.id} ${record.args.join(" ")}: ${record.out.join(" ")}`;
  }
  const { op, ipa, esr_el1, far_el1, val } = record;
  return `${op} ipa ${ipa} ESR ${esr_el1} FAR ${far_el1}${val === undefined ? "" : ` ${val}`}`;
}

interface ExitTelling {
  readonly vm: number;
  readonly vcpu: number;
  readonly exit: KvmExit;
}

function exitText({ vm, vcpu, exit }: ExitTelling, beforeReplay: boolean): string {
  const head = `krun vm ${vm} vcpu ${vcpu}`;
  switch (exit.kind) {
    case "errno":
      return `${head} errno ${exit.errno}`;
    case "mmio": {
      const { address, write, bytes, data } = exit;
      const access = `${write ? "write" : "read"} ${bytes} at ${hex(address)} ${hex(data)}`;
      return `${head} mmio ${access}, before replay ${beforeReplay}`;
    }
    case "system event":
      return `${head} system event ${exit.type} ${exit.data.length} ${hex(exit.data[0] ?? 0n)}`;
    case "internal error":
      return `${head} exit ${KVM_EXIT[exit.kind]}`;
  }
}

/** KVM_RUN's return, as the trace has it. */
export function recordedRun(record: RecordOf<"krun">): string {
  const { vm, vcpu, ret, errno, exit, mmio, sysevent, ndata, d0, outcome } = record;
  if (outcome !== undefined) return outcome;
  const head = `krun vm ${vm} vcpu ${vcpu}`;
  if (ret !== 0) return `${head} errno ${errno}`;
  if (mmio !== undefined) {
    const access = `${mmio.write === 1 ? "write" : "read"} ${mmio.len} at ${mmio.gpa} ${mmio.data}`;
    return `${head} mmio ${access}, before replay ${record.before_replay}`;
  }
  if (sysevent !== undefined) return `${head} system event ${sysevent} ${ndata} ${d0}`;
  return `${head} exit ${exit}`;
}

/** One line of a run, with its place in our log. */
export interface RunLine {
  readonly text: string;
  readonly event: number;
}

/**
 * The lines of one run, in the order in which the recorder has them: exits for devices as they
 * come, what the guest handed out before the exit that ends the run.
 */
export function runLines(log: readonly LogEvent[], from: number, to: number): readonly RunLine[] {
  const lines: RunLine[] = [];
  let words: bigint[] = [];
  const handOut = (event: number): void => {
    for (const text of entryTexts(words)) lines.push({ text, event });
    words = [];
  };
  log.slice(from, to).forEach((entry, n) => {
    if (entry.kind !== "kvm-exit") return;
    const { exit } = entry;
    const event = from + n;
    if (exit.kind === "mmio" && exit.write && exit.address === SINK) {
      words.push(exit.data);
      return;
    }
    const beforeReplay = words.length === 0;
    if (exit.kind !== "mmio") handOut(event);
    lines.push({ text: exitText(entry, beforeReplay), event });
  });
  handOut(to - 1);
  return lines;
}

/** The shell command that looks for warnings in the kernel's log. */
export const LOOKS_FOR_WARNINGS = /^dmesg \| grep (?:-A1 )?WARNING$/;
