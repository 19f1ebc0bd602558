import type { CommandSpec } from "./command.ts";
import { compatFlags, compatText, readCompat } from "./compat.ts";

export const serveCommand: CommandSpec = {
  name: "serve",
  about: "command.serve",
  example: "granary serve --listen 127.0.0.1:8080",
  settings: "all",
  flags: [{ flag: "--compat NAME", about: "flag.compat" }, ...compatFlags],
  singleDash: true,
  run: async (call, { io, services }) => {
    const request = readCompat(call, "serve");
    if (request === undefined) return await services.serve(call.settings);
    const { report, serve } = await services.compat(request, call.settings);
    io.stderr(compatText(report, io.lang));
    return await serve();
  },
};
