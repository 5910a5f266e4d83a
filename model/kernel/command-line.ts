// Splits a kernel command line into parameters as parse_args does.

/** One parameter; `value` undefined is the flag form without "=". */
export interface Parameter {
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * Bytes that arm64 keeps of its command line, the final NUL included. Source: COMMAND_LINE_SIZE,
 * asm/setup.h.
 */
export const COMMAND_LINE_SIZE = 2048;

/** Where one parameter ends: at white space that is not inside double quotes. */
function endOfParameter(line: string, start: number): number {
  let quoted = false;
  for (let at = start; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (/\s/.test(char) && !quoted) return at;
    if (char === '"') quoted = !quoted;
  }
  return line.length;
}

/** One pair of enclosing quotes is dropped. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text.slice(1);
}

/**
 * The parameters in order, up to a bare "--"; what is beyond COMMAND_LINE_SIZE is lost, as in the
 * kernel.
 * Source: next_arg and parse_args, lib/cmdline.c and kernel/params.c.
 */
export function parseArgs(commandLine: string): readonly Parameter[] {
  const line = commandLine.slice(0, COMMAND_LINE_SIZE - 1);
  const parameters: Parameter[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line.charAt(at))) {
      at += 1;
      continue;
    }
    const end = endOfParameter(line, at);
    const text = unquote(line.slice(at, end));
    at = end;
    if (text === "--") break;
    const equals = text.indexOf("=");
    if (equals < 0) parameters.push({ name: text, value: undefined });
    else parameters.push({ name: text.slice(0, equals), value: unquote(text.slice(equals + 1)) });
  }
  return parameters;
}

/** Dashes and underscores in a parameter's name are the same. Source: parameq, kernel/params.c. */
export function sameParameter(a: string, b: string): boolean {
  return a.replaceAll("-", "_") === b.replaceAll("-", "_");
}
