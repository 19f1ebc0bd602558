import { LocalHub } from "#adapters/coordination/local.ts";
import { coordinationContract } from "./coordination.ts";

const done = (): Promise<void> => Promise.resolve();

coordinationContract("local", () => {
  const hub = new LocalHub();
  return Promise.resolve({
    node: (name, leaseMs) => Promise.resolve(hub.node(name, { leaseMs })),
    losesNotices: true,
    wipe: () => {
      hub.wipe();
      return done();
    },
    away: () => {
      hub.isDown = true;
      return done();
    },
    back: () => {
      hub.isDown = false;
      return done();
    },
  });
});
