// The lines between us and /init of the machine: one request, one answer, each with its hash.

import type { HostHvc, HostRead, HostSmc, HostWrite } from "../../model/scenario.ts";

/** Pages that follow each other, zero, the host's: their number is a power of two. */
export interface Allocation {
  readonly kind: "alloc";
  readonly pages: number;
}

/** What the machine can be asked to do. */
export type Request = HostHvc | HostSmc | HostRead | HostWrite | Allocation;

/** What came of a request. */
export interface Reply {
  readonly serial: number;
  /** The errno of the module, positive; 0 if all went well. 14, EFAULT, is an abort. */
  readonly errno: number;
  /** Bit n is set where xn is not what it was. */
  readonly changed: number;
  /** x0 to x3. */
  readonly x: readonly bigint[];
}

/** A line of the machine: an answer, a word about itself, or none of ours. */
export type Line =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "ready" | "damaged" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "console"; readonly text: string };

/** An abort that the kernel fixed up. Source: EFAULT, errno-base.h. */
export const FAULT = 14;

/** FNV-1a of 32 bits. Source: RFC 9923. */
export function lineHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

const hashed = (text: string): string => `${text}#${lineHash(text).toString(16)}`;

/** The letter of a request and its words after serial number and CPU. */
function requestWords(request: Request): readonly [string, number, readonly bigint[]] {
  switch (request.kind) {
    case "hvc":
      return ["H", request.cpu, [BigInt(request.imm), ...request.x]];
    case "smc":
      return ["S", request.cpu, [0n, ...request.x]];
    case "host_read":
      return ["R", request.cpu, [0n, request.address]];
    case "host_write":
      return ["W", request.cpu, [0n, request.address, request.value]];
    case "alloc":
      return ["A", 0, [BigInt(request.pages)]];
  }
}

/** A request as a line, with its end. */
export function encodeRequest(serial: number, request: Request): string {
  const [letter, cpu, words] = requestWords(request);
  const all = [BigInt(serial), BigInt(cpu), ...words].map((word) => word.toString(16));
  return `>${hashed([letter, ...all].join(" "))}\n`;
}

const REPLY = /^[0-9a-f]+(?: [0-9a-f]{1,16}){6}$/;

function decodeReply(text: string): Line {
  const words = text.split(" ");
  const [serial = 0, errno = 0, changed = 0] = words.slice(0, 3).map((word) => parseInt(word, 16));
  const x = words.slice(3).map((word) => BigInt(`0x${word}`));
  return { kind: "reply", reply: { serial, errno, changed, x } };
}

/** What a line of the console says. A line that is ours but came out damaged is the console's. */
export function decodeLine(line: string): Line {
  const match = /<([^#<]*)#([0-9a-f]{1,8})$/.exec(line);
  const [, text = "", hash = ""] = match ?? [];
  const ours = `<${text}`;
  if (match === null || lineHash(ours) !== parseInt(hash, 16))
    return { kind: "console", text: line };
  if (REPLY.test(text)) return decodeReply(text);
  if (text === "ready" || text === "damaged") return { kind: text };
  return { kind: "refused", why: text };
}
