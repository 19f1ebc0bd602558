import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const env = { object: "process", property: "env", message: "Read settings through src/app/config.ts." };

export default defineConfig(
  globalIgnores(["dist/", "coverage/", "**/*.js", "**/*.cjs", "**/*.mjs"]),
  {
    files: ["{bin,src,test,scripts,bench}/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A block body only to discard a value hides the one line that matters.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "no-restricted-properties": ["error", env],
    },
  },
  // The places that may read the process environment: settings, and the programs around the product.
  {
    files: ["src/app/config.ts", "src/app/main.ts", "{test,scripts,bench}/**/*.ts", "src/**/*.test.ts"],
    rules: { "no-restricted-properties": "off" },
  },
  // node:test runs what test() returns by itself; awaiting it is noise.
  {
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", name: ["test", "suite", "describe", "it"], package: "node:test" },
          ],
        },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  // The world arrives as an argument.
  {
    files: ["src/{protocol,services}/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        env,
        { object: "Date", property: "now", message: "Take a Clock." },
        { object: "Math", property: "random", message: "Take a source of randomness." },
      ],
      "no-restricted-globals": ["error", "fetch", "setTimeout", "setInterval", "console", "process"],
    },
  },
);
