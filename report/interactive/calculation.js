// How one value is normalized, in words and step by step, as pure functions.
"use strict";

globalThis.calculation = (() => {
  const { EPSILON, apart } = globalThis.normalization;
  const { number, power, short } = globalThis.notation;

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
  const signed = (value) => (value < 0 ? `(${short(value)})` : short(value));

  /** The mean and the variance of the values that share, `size` in letters of them; where no mean is subtracted their mean square. */
  function ofTheseValues({ sum, mean, variance, centred }, sharing, size) {
    const m = sharing.length;
    if (!centred) return [["values", "m", size, `${m}`], ["mean square", "v", "Σx² / m", number(variance)]];
    const first = Array.from(sharing.slice(0, 3), signed).join(" + ");
    return [
      ["values", "m", size, `${m}`],
      ["sum", "Σx", first + (m > 3 ? " + …" : ""), short(sum)],
      ["mean", "μ", `Σx / m = ${short(sum)} / ${m}`, number(mean)],
      ["variance", "v", "Σ(x − μ)² / m", number(variance)],
    ];
  }

  /** Those that were kept in training. */
  const ofTraining = ({ mean, variance }) => [
    ["running mean", "μ", "kept in training", number(mean)],
    ["running variance", "v", "kept in training", number(variance)],
  ];

  /** The steps to the result of one value, from those that share with it or from what is kept: name, symbol, formula and number. */
  function steps(value, sharing, size) {
    const { x, mean, deviation, normalized, scale, shift, result, evaluating, centred } = value;
    const difference = centred ? ["(x − μ)", `(${short(x)} − ${signed(mean)})`] : ["x", short(x)];
    return [
      ...(evaluating ? ofTraining(value) : ofTheseValues(value, sharing, size)),
      [centred ? "standard deviation" : "root mean square", "σ", `√(v + ${power(EPSILON)})`, number(deviation)],
      ["normalized", "x̂", `${difference[0]} / σ = ${difference[1]} / ${number(deviation)}`, number(normalized)],
      ["result", "y", `γ · x̂ + β = ${short(scale)} · ${signed(normalized)} + ${signed(shift)}`, number(result)],
    ];
  }

  return Object.freeze({ placeInWords, setInWords, steps });
})();
