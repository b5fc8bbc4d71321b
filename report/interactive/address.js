// What the explorer holds, as the end of the page's address, and back, as pure functions: #explorer?normalization=group&N=3.
"use strict";

globalThis.address = (() => {
  const { LARGEST, CHOICES, begin } = globalThis.exploration;
  const { tasks } = globalThis;

  const BEGINNING = "#explorer?";
  const FARTHEST = 1000; // how far from 0 a number may be
  const LISTS = ["gamma", "beta", "means", "variances"]; // a number a channel

  const words = () => ({ task: ["", ...Object.keys(tasks)], normalization: Object.keys(globalThis.explorerData.normalizations), ...CHOICES });

  const rounded = (value) => Number(value.toFixed(4));
  const list = ({ running, gamma, beta }, name) => Array.from({ gamma, beta, ...running }[name], rounded);

  /** The choices that `begin` takes, each as one word or number. */
  const choices = ({ shape: [N, C, H], ...state }) => ({ N, C, H, groups: state.groups, kept: state.kept, ...Object.fromEntries(Object.keys(words()).map((name) => [name, state[name]])) });

  /** What differs from how the explorer begins, as the end of an address; nothing if nothing does. */
  function write(state) {
    const [first, untouched] = [choices(begin()), begin(state)];
    const parts = Object.entries(choices(state)).filter(([name, value]) => value !== first[name]);
    const changed = Array.from(state.values, rounded).flatMap((value, i) => (value === rounded(untouched.values[i]) ? [] : [`${i}:${value}`]));
    if (changed.length) parts.push(["x", changed]);
    for (const name of LISTS) if (`${list(state, name)}` !== `${list(untouched, name)}`) parts.push([name, list(state, name)]);
    return parts.length ? BEGINNING + parts.map(([name, value]) => `${name}=${value}`).join("&") : "";
  }

  /** A whole number from `least` to `most`, or nothing. */
  function whole(text, least, most) {
    const value = /^\d{1,4}$/.test(text ?? "") ? Number(text) : NaN;
    return value >= least && value <= most ? value : undefined;
  }

  /** A number that is not too far from 0, or nothing. */
  function real(text) {
    const value = /^-?\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : NaN;
    return Math.abs(value) <= FARTHEST ? value : undefined;
  }

  function chosen(given) {
    const found = Object.fromEntries(Object.entries(words()).map(([name, known]) => [name, known.find((word) => word === given.get(name))]));
    const [N, C, H] = begin().shape.map((length, i) => whole(given.get("NCH"[i]), 1, LARGEST[i]) ?? length);
    const [groups, kept] = [whole(given.get("groups"), 1, LARGEST[1]), whole(given.get("kept"), 0, Infinity)];
    const known = Object.entries({ ...found, groups, kept }).filter(([, value]) => value !== undefined);
    return { shape: [N, C, H, H], ...Object.fromEntries(known) };
  }

  /** What the explorer holds by the end of an address; null if it is not about the explorer. What is wrong in it is left out. */
  function read(end) {
    if (!end.startsWith(BEGINNING)) return null;
    const given = new URLSearchParams(end.slice(BEGINNING.length));
    const state = begin(chosen(given));
    for (const pair of (given.get("x") ?? "").split(",")) {
      const [index, value] = pair.split(":");
      const [i, x] = [whole(index, 0, state.values.length - 1), real(value ?? "")];
      if (i !== undefined && x !== undefined) state.values[i] = x;
    }
    for (const name of LISTS) {
      const numbers = (given.get(name) ?? "").split(",").map(real);
      const right = numbers.length === state.shape[1] && numbers.every((value) => value !== undefined && (value >= 0 || name !== "variances"));
      if (right) (state.running[name] ?? state[name]).set(numbers);
    }
    return state;
  }

  return Object.freeze({ FARTHEST, write, read });
})();
