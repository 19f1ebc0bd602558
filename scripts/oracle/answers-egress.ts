// Which proxy a URL is asked through.

import { proxyRule } from "#adapters/upstream/no-proxy.ts";
import type { Answers } from "./answers.ts";

export const egressAnswers: Answers = {
  "no-proxy": (input) => {
    const { no, url } = input as { no: string; url: string };
    const rule = proxyRule({ http: "http://plain.proxy", https: "secure.proxy:3128", no });
    const proxy = rule(new URL(url));
    return proxy === undefined ? "" : `${proxy.protocol}//${proxy.host}`;
  },
};
