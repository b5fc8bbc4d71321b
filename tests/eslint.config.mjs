// What ESLint knows of the page's scripts: classic ones, which share their globals, and tests that Node runs.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { files: ["report/**/*.js"], languageOptions: { sourceType: "script", globals: globals.browser } },
  { files: ["tests/**/*.mjs"], languageOptions: { globals: globals.node } },
  { rules: { eqeqeq: "error", "no-var": "error", "prefer-const": "error", "no-shadow": "error" } },
  { rules: { "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }] } }, // a screen
];
