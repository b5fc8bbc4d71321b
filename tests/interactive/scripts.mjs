// The page's scripts as a page has them, for tests without one: each adds its functions to the globals.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// What normstudy/normalizations.py says of them, which tests/interactive/test_arithmetic.py passes on, and values to explore.
const known = JSON.parse(process.env.NORMALIZATIONS);
// One that subtracts nothing, and whose places are apart.
known.invented = { title: "Invented normalization", count: "N·H·W", apart: ["N", "H", "W"], size: "C", idea: "each place of an image shares", centred: false };
globalThis.explorerData = {
  normalizations: known,
  example: { shape: [2, 2, 2, 2], values: [1, 3, 1, 3, 0, 0, 4, 4, 5, 7, 5, 7, 2, 2, 6, 6] },
  activation: { shape: [2, 4, 2, 2], values: Array.from({ length: 32 }, (_, i) => i / 8), gamma: [1, 2, 3, 4], beta: [4, 3, 2, 1], means: [1, 2, 3, 4], variances: [4, 9, 16, 25] },
};

for (const name of ["normalization", "notation", "calculation", "exploration", "sentences", "tasks", "address", "multiplication", "layers", "network"]) {
  const script = new URL(`../../report/interactive/${name}.js`, import.meta.url);
  runInThisContext(readFileSync(script, "utf8"), { filename: script.pathname });
}

export const { normalization, notation, calculation, exploration, sentences, tasks, address, multiplication, network } = globalThis;
