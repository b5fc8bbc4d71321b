// How one value is normalized, in words and step by step, as pure functions.
"use strict";

globalThis.calculation = (() => {
  const { EPSILON, apart } = globalThis.normalization;
  const { number, power } = globalThis.notation;

  /** Where a value of a tensor is: image, channel, and row and column (all counted from 0) where there is more than one. */
  function placeInWords({ image, channel, row, column }, [, , H]) {
    return `image ${image + 1}, channel ${channel + 1}` + (H > 1 ? `, row ${row + 1}, column ${column + 1}` : "");
  }

  /** The values that share with one of this image, channel, row and column (all counted from 0). */
  function setInWords(normalization, { image, channel, row, column }, C, groups) {
    const letters = apart(normalization);
    const [wide, group] = [C / groups, Math.floor((channel * groups) / C)];
    const [first, last] = letters.includes("G") ? [group * wide + 1, (group + 1) * wide] : [channel + 1, channel + 1];
    const whole = !letters.includes("G") && !letters.includes("C");
    const channels = whole ? "all channels" : first === last ? `channel ${first}` : `channels ${first} to ${last}`;
    const pixel = letters.includes("H") ? ` in row ${row + 1}, column ${column + 1}` : "";
    return `${channels}${pixel} of ${letters.includes("N") ? `image ${image + 1}` : "every image"}`;
  }

  /** A number within a formula. */
  const signed = (value) => (value < 0 ? `(${number(value)})` : number(value));

  /** The steps from the values that share, `size` in letters of them, to the result: name, symbol, formula and number. */
  function steps({ x, sum, mean, variance, deviation, normalized, scale, shift, result }, sharing, size) {
    const m = sharing.length;
    const first = Array.from(sharing.slice(0, 3), signed).join(" + ");
    return [
      ["values", "m", size, `${m}`],
      ["sum", "Σx", first + (m > 3 ? " + …" : ""), number(sum)],
      ["mean", "μ", `Σx / m = ${number(sum)} / ${m}`, number(mean)],
      ["variance", "v", "Σ(x − μ)² / m", number(variance)],
      ["standard deviation", "σ", `√(v + ${power(EPSILON)})`, number(deviation)],
      ["normalized", "x̂", `(x − μ) / σ = (${number(x)} − ${signed(mean)}) / ${number(deviation)}`, number(normalized)],
      ["result", "y", `γ · x̂ + β = ${number(scale)} · ${signed(normalized)} + ${signed(shift)}`, number(result)],
    ];
  }

  return Object.freeze({ placeInWords, setInWords, steps });
})();
