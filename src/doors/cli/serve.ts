import type { CommandSpec } from "./command.ts";

export const serveCommand: CommandSpec = {
  name: "serve",
  about: "command.serve",
  example: "granary serve --listen 127.0.0.1:8080",
  settings: "all",
  run: ({ settings }, { services }) => services.serve(settings),
};
