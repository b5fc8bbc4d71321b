// Numbers as text, as pure functions: the page's twin of normstudy/display/notation.py.
"use strict";

globalThis.notation = (() => {
  const formats = [];

  /** A number with so many decimals: −0.02, 7,978, never −0.00. */
  function decimal(value, digits = 0) {
    formats[digits] ??= new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
    return formats[digits].format(value).replace("-", "−");
  }

  /** A number with about `digits` decimals: fewer where it is large. */
  function number(value, digits = 4) {
    const whole = Math.max(0, Math.floor(Math.log10(Math.abs(value) || 1)));
    return decimal(value, Math.max(0, digits - whole));
  }

  /** A number as formulas have it: a whole one without decimals. */
  const short = (value) => (Number.isInteger(value) ? decimal(value) : number(value));

  /** A share, 0 to 1, in percent: 99.5 %. */
  const percent = (share, digits = 0) => `${decimal(100 * share, digits)}\u00a0%`;

  /** A positive number as a power of ten: 1×10⁻⁵. */
  function power(value) {
    const [mantissa, exponent] = value.toExponential().split("e");
    return `${mantissa}×10${exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;
  }

  return Object.freeze({ decimal, number, short, percent, power });
})();
