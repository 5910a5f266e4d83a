// One clean line of progress on a terminal, plain lines elsewhere; Ctrl-C asks for an early end.

import { styleText } from "node:util";

/** Where a long job says how far it is. */
export interface Progress {
  /** What is being done now; on a terminal it replaces what was there. */
  readonly at: (text: string) => void;
  /** Removes the line, before something is printed. */
  readonly clear: () => void;
}

/** Progress goes to stderr, so that what is printed can be kept. */
export function progress(): Progress {
  const { stderr } = process;
  if (!stderr.isTTY) return { at: () => undefined, clear: () => undefined };
  return {
    at: (text) => stderr.write(`\r\x1b[2K${styleText("dim", text.slice(0, 78))}`),
    clear: () => stderr.write("\r\x1b[2K"),
  };
}

/** npm passes Ctrl-C on although the terminal has sent it already: both are one. */
const SAME_PRESS_MS = 1000;

/** Whether Ctrl-C was pressed; a second one ends the process at once. */
export function interruption(): { readonly asked: () => boolean; readonly release: () => void } {
  let asked = false;
  let again = false;
  const onSignal = (): void => {
    if (again) process.exit(130);
    asked = true;
    setTimeout(() => {
      again = true;
    }, SAME_PRESS_MS).unref();
  };
  process.on("SIGINT", onSignal);
  return { asked: () => asked, release: () => process.off("SIGINT", onSignal) };
}
