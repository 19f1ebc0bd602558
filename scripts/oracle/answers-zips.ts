// Module zips: the h1 of those that may be kept.

import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import type { Answers } from "./answers.ts";

export const zipAnswers: Answers = {
  zip: (input) => {
    const bytes = Buffer.from(input as string, "base64");
    const report = checkModuleZip(bytesSource(bytes), { path: "example.com/m", version: "v1.0.0" });
    if (report.valid) return { h1: report.h1 };
    const [problem] = report.problems;
    return { error: problem?.rule, reason: problem?.reason };
  },
};
