// Loads one file of the project with another text in its place.

import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** From now on the file is read as the text; says whether anything has loaded it. */
export function readAs(changed: string, text: string): () => boolean {
  let loaded = false;
  registerHooks({
    load: (url, context, next) => {
      if (!url.startsWith("file:") || fileURLToPath(url) !== changed) return next(url, context);
      loaded = true;
      return { format: "module-typescript", source: text, shortCircuit: true };
    },
  });
  return () => loaded;
}
