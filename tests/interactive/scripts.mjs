// The page's scripts as a page has them, for tests without one: each adds its functions to the globals.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// What normstudy/normalizations.py says of them; tests/interactive/test_arithmetic.py passes it on.
globalThis.explorerData = { normalizations: JSON.parse(process.env.NORMALIZATIONS) };

for (const name of ["normalization", "notation", "calculation", "layers", "network"]) {
  const script = new URL(`../../report/interactive/${name}.js`, import.meta.url);
  runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
}

export const { normalization, notation, calculation, network } = globalThis;
