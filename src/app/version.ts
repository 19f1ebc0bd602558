// The program's own version, said in logs, in the User-Agent and by `granary --version`.

export const version = "0.1.0";
