// What the command line is handed: one function per thing a command does. The program (src/app) implements them.
// Failures are GranaryErrors; results are plain data that commands print for people or as JSON.

import type { NetworkCommands } from "./network-view.ts";
import type { ErrorReport } from "#services/analysers/error-report.ts";
import type { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { ExplainPorts } from "#services/environment/explain.ts";
import type { Surroundings } from "#services/environment/surroundings.ts";
import type { Shell } from "#services/findings/shell.ts";
import type { Attempt, AttemptPlan } from "#services/analysers/attempts.ts";
import type { ChainRun, FallbackCell, LabChain } from "#services/lab/fallback-lab.ts";
import type { ModuleModeRun } from "#services/lab/module-mode-lab.ts";
import type { DrillProgress } from "#services/lab/drill.ts";
import type { DrillReport, DrillScenario } from "#services/lab/drill-report.ts";
import type { RedundancyReport } from "#services/lab/redundancy.ts";
import type { DrillFault } from "#services/lab/ports.ts";
import type { NamedMyth } from "#services/myths/select.ts";
import type { Packing } from "#services/packing/pack.ts";
import type { Sent } from "#services/packing/send.ts";
import type { Plan } from "#services/prewarm/plan.ts";
import type { PrewarmReport, Progress } from "#services/prewarm/prewarm.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import type { Judged } from "#services/places/judge.ts";
import type { ExportReport } from "#services/store/export.ts";
import type { ImportProgress, ImportReport } from "#services/store/import.ts";
import type { Layout } from "#services/store/source-layout.ts";
import type { Examination } from "#services/sumdb/examine.ts";
import type { GoSumsReport } from "#services/sumtools/go-sums.ts";
import type { Round } from "#services/sumtools/gopher.ts";
import type { PreloadReport } from "#services/sumtools/preload.ts";
import type { DefragReport } from "#services/store/defrag.ts";
import type { MoveReport, MoveUse } from "#services/store/move.ts";
import type { RestoreReport } from "#services/store/restore.ts";
import type { LogVerdict } from "#services/store/snapshot-logs.ts";
import type { SnapshotReport } from "#services/store/snapshot.ts";
import type { ListedSnapshot, Pruned } from "#services/store/snapshots.ts";
import type { Decision, GoSettings } from "#services/sumdb/go-decision.ts";
import type { Inventory } from "#services/sumdb/inventory.ts";
import type { OfferReport } from "#services/sumdb/offered.ts";
import type { PinView } from "#services/sumdb/trusted.ts";
import type { Pin } from "#services/sumdb/trusted-file.ts";
import type { FsckReport } from "#services/tending/fsck.ts";
import type { GcReport, GcRule } from "#services/tending/gc.ts";
import type { IndexedVersion } from "#services/tending/ports.ts";
import type { Pinned } from "#services/tending/retained.ts";
import type { RollbackReport } from "#services/tending/rollback.ts";
import type { ScrubReport } from "#services/tending/scrub.ts";
import type { ProbeView, UpstreamView } from "#services/upstreams/desk.ts";
import type { ModcacheServices } from "./modcache-services.ts";
import type { HttpCommands } from "./http-services.ts";
import type { EnvSetup } from "./env-setup-types.ts";
import type { DoctorDesk } from "./doctor-desk.ts";
import type { NginxOptions } from "#services/generate/nginx.ts";

/** What the command line said of settings: raw text by setting key, and the files to read. */
export type SettingFlags = {
  readonly values: Readonly<Record<string, string | readonly string[]>>;
  readonly config?: string | undefined;
  readonly profile?: string | undefined;
};

/** A flag that belongs to a setting, as the settings table has it. */
export type SettingFlag = {
  readonly key: string;
  /** `--listen HOST:PORT` */
  readonly flag: string;
  readonly about: string;
  /** As people read it. */
  readonly initial: string;
  readonly isList: boolean;
  readonly group: "server" | "upstreams" | "direct" | "trust" | "shared" | "logs" | "tls";
};

export type ShownSetting = { readonly key: string; readonly value: string; readonly origin: string };

export type StoreStats = {
  readonly dir: string;
  readonly modules: number;
  readonly versions: number;
  readonly zips: number;
  readonly evicted: number;
  readonly bytes: number;
  readonly records: number;
};

export type StoreReport = {
  readonly checked: number;
  readonly bytes: number;
  readonly findings: readonly { readonly key: string; readonly problem: string }[];
};

/** `where`: the directory, or the service with bucket and prefix. */
export type StoreCheckView = Judged & { readonly kind: "disk" | "bucket"; readonly where: string };

export type ImportRequest = {
  readonly dir: string;
  /** Undefined: it is recognised. */
  readonly layout: Layout | undefined;
  readonly isDryRun: boolean;
};

export type ImportView = ImportReport & {
  readonly dir: string;
  readonly layout: Layout;
  readonly store: string;
  readonly isDryRun: boolean;
};

export type ExportRequest = {
  readonly dir: string;
  /** `path@version`, or patterns; with none and no `from`, everything. */
  readonly what: readonly string[];
  /** go.sum files. */
  readonly from: readonly string[];
};

/** `url`: what GOPROXY is set to. */
export type ExportView = ExportReport & { readonly dir: string; readonly store: string; readonly url: string };
export type SnapshotRequest = {
  /** The folder of snapshots. */
  readonly dir: string;
  readonly isDeep: boolean;
  /** How many snapshots stay; undefined for all. */
  readonly keep: number | undefined;
};

export type SnapshotView = SnapshotReport & {
  readonly dir: string;
  readonly store: string;
  readonly ms: number;
  readonly pruned: Pruned | undefined;
};

export type MoveRequest = Pick<MoveUse, "verify" | "isDry" | "bytesPerSecond" | "jobs"> & {
  readonly to: "s3" | "disk";
  /** When all is there, the directory becomes the place of this node's copies. */
  readonly handsOver: boolean;
};

export type MoveView = MoveReport & {
  readonly from: string;
  readonly to: string;
  readonly ms: number;
  readonly isDry: boolean;
  readonly isHandedOver: boolean;
};

export type RestoreRequest = {
  readonly dir: string;
  /** Undefined for the newest. */
  readonly id: string | undefined;
  readonly isDry: boolean;
  readonly replacesState: boolean;
};

export type RestoredLog = {
  readonly name: string;
  readonly is: LogVerdict["is"];
  /** Records of the snapshot's log; 0 when nobody can tell. */
  readonly size: number;
  readonly isForgotten: boolean;
  /** Why it was not restored. */
  readonly failure: GranaryError | undefined;
};

export type RestoreView = Omit<RestoreReport, "logs"> & {
  readonly dir: string;
  readonly store: string;
  readonly ms: number;
  readonly isDry: boolean;
  readonly logs: readonly RestoredLog[];
};

export type DefragView = DefragReport & { readonly store: string; readonly isDry: boolean };

export type SumdbKey = { readonly name: string; readonly verifierKey: string; readonly file: string };

export type SumdbClientConfig = {
  readonly name: string;
  readonly verifierKey: string;
  readonly proxy: string;
  /** Private patterns of the server. */
  readonly patterns: string;
};

export type SumdbAlarm = {
  readonly id: string;
  readonly database: string;
  /** The file below the store. */
  readonly evidence: string;
  readonly decision: { readonly atMs: number; readonly reason: string } | undefined;
};

export type SumdbFsck = {
  readonly name: string;
  readonly size: number;
  readonly tiles: number;
  readonly problems: readonly string[];
};

/** Where a command finds a checksum database, as typed. */
export type SumdbPlace = {
  /** A folder with one database; without it the store. */
  readonly db: string | undefined;
  /** Where the one configured database is asked, and nowhere else. */
  readonly mirror: string | undefined;
};

export type PreloadRequest = SumdbPlace & {
  /** `path@v1.8.0:latest` */
  readonly ranges: readonly string[];
  /** go.mod, go.work, go.sum, lists, folders. */
  readonly from: readonly string[];
  readonly jobs: number;
};

/** `unreadable`: go.mod files and lists that could not be had, so that more may be missing. */
export type PreloadView = PreloadReport & {
  readonly unreadable: readonly string[];
  readonly databases: readonly { readonly name: string; readonly treeSize?: number }[];
};

export type LookupRequest = SumdbPlace & { readonly isOffline: boolean };

export type SumverifyRequest = LookupRequest & {
  readonly files: readonly string[];
  /** Every go.sum below this folder as well. */
  readonly all: string | undefined;
  readonly jobs: number;
};

export type SumgopherRequest = SumdbPlace & {
  /** As PreloadRequest; none for what is kept. */
  readonly from: readonly string[];
  readonly jobs: number;
  /** Milliseconds between rounds; undefined for one round. */
  readonly everyMs: number | undefined;
};

export type SumdbImportRequest = {
  /** A go command's folder of heads, a file, or `-`. */
  readonly from: string;
  /** A GOMODCACHE that has tiles. */
  readonly cache: string | undefined;
  readonly at: RemoteFlags;
};

export type SumdbPins = {
  /** A trusted file. */
  readonly text: string;
  readonly pins: readonly (Pin & { readonly treeSize: number })[];
  /** Databases that no head is kept of. */
  readonly without: readonly string[];
};

export type SumdbRouteView = {
  readonly route: string;
  /** `unasked`: nobody has compared the routes yet. */
  readonly verdict: "agrees" | "silent" | "refused" | "forked" | "unasked";
  readonly atMs?: number;
  readonly treeSize?: number;
  readonly reason?: string;
  /** The upstream's health. */
  readonly condition?: string;
};

export type SumdbStatus = {
  readonly nowMs: number;
  /** A server has the store and said what it knows of the routes. */
  readonly isRunning: boolean;
  readonly databases: readonly (Inventory & { readonly routes: readonly SumdbRouteView[] })[];
};

export type SumdbExplainRequest = {
  /** `KEY=VALUE`, or files with settings; none for the machine's own. */
  readonly env: readonly string[];
  /** `MODULE` or `MODULE@VERSION`. */
  readonly module: string | undefined;
};

export type SumdbExplanation = Decision & {
  readonly settings: GoSettings;
  /** `go`: what `go env` says here. `machine`: environment and go env file, without a go. `given`: by flags. */
  readonly origin: "go" | "machine" | "given";
  /** Variables that are set and decide nothing here. */
  readonly ignored: readonly string[];
};

export type EnvironmentSeen = { readonly surroundings: Surroundings; readonly ports: ExplainPorts };

export type SumwebRequest = {
  /** A folder with one database; without `--sumdb` it is served as it is. */
  readonly db: string | undefined;
};

export type AgentRequest = {
  readonly listen: string;
  /** The company's server. */
  readonly url: string;
  /** Client certificate and its key, PEM files. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Authorities trusted beside the machine's. */
  readonly ca: string | undefined;
  readonly tokenFile: string | undefined;
  /** May listen beyond this machine. */
  readonly exposed: boolean;
};

export type AgentSetup = {
  readonly unit: string;
  readonly file: string;
  readonly isInstalled: boolean;
  /** GOPROXY. */
  readonly proxy: string;
};

export type HeldItem = {
  readonly module: string;
  readonly version: string;
  readonly reason: string;
  readonly since: string;
};

export type QuarantinedItem = {
  readonly id: string;
  readonly module: string;
  readonly version: string;
  readonly upstream: string;
  readonly reason: string;
  readonly at: string;
  readonly bytes: number;
  readonly recorded?: string | undefined;
  readonly received?: string | undefined;
};

export type PinnedHash = {
  readonly module: string;
  readonly version: string;
  readonly kind: string;
  readonly hash: string;
};

export type TokenInfo = {
  readonly id: string;
  readonly scope: "read" | "write";
  readonly note: string;
  readonly created: string;
};

/** An error answer remembered by the running server. */
export type RememberedError = { readonly at: string; readonly target: string; readonly error: GranaryError };

/** Which running server a command asks, as typed; without a server it is the one at the configured address. */
export type RemoteFlags = {
  readonly server?: string | undefined;
  /** `file:/path` or `env:NAME`. */
  readonly token?: string | undefined;
};

export type PublishRequest = {
  /** A folder when there is a version, else a tag. */
  readonly what: string;
  readonly version: string | undefined;
  /** The module path that it must have. */
  readonly module: string | undefined;
  /** Where the repository of a tag is; undefined for the working directory. */
  readonly repo: string | undefined;
  readonly isDryRun: boolean;
  readonly at: RemoteFlags;
};

/** `goMod` is `converted` when .gitattributes change it in the zip, so that go would hash another one. */
export type PublishView = Packing & {
  readonly module: string;
  readonly version: string;
  readonly source:
    | { readonly kind: "folder"; readonly folder: string }
    | { readonly kind: "tag"; readonly tag: string; readonly commit: string; readonly dir: string };
  readonly goMod: "as-committed" | "converted" | "none";
  /** Of the files, unpacked. */
  readonly bytes: number;
  readonly zipBytes?: number;
  readonly sha256?: string;
  readonly h1?: string;
  readonly goModH1?: string;
  readonly isDryRun: boolean;
  readonly server: string;
  /** Undefined when nothing was sent. */
  readonly sent?: Sent;
};

export type PlanRequest = {
  /** A go.mod or a go.work. */
  readonly from: string;
  /** The whole build list, not only what `go mod download` takes. */
  readonly all: boolean;
  /** Ask the configured upstreams how large zips are that are not kept. */
  readonly sizes: boolean;
  readonly jobs: number;
  readonly at: RemoteFlags;
};

/** Where things come from when the server does not have them. */
type ServerView = { readonly server: string; readonly mode: string; readonly upstreams: readonly string[] };

/** `names`: the main modules. */
export type PlanView = Plan & ServerView & { readonly names: readonly string[] };

export type PrewarmRequest = {
  /** go.mod, go.work, go.sum, a list, a folder, or `top:N`. */
  readonly from: string;
  readonly all: boolean;
  /** `linux/amd64` */
  readonly platforms: readonly string[];
  /** The server whose most asked versions `top:N` means; without it the one that is filled. */
  readonly of: string | undefined;
  readonly jobs: number;
  readonly at: RemoteFlags;
};

export type PrewarmView = PrewarmReport & ServerView;

export type DrillRequest = {
  readonly scenario: DrillScenario;
  readonly fault: DrillFault;
  /** Of the phases before and during the fault, each. */
  readonly requests: number;
  /** How long each upstream takes to answer. */
  readonly distanceMs: number;
};

export type DrillView = DrillReport & {
  readonly requests: number;
  readonly paceMs: number;
  readonly distanceMs: number;
  /** Those of the drill, in the order in which they are asked. */
  readonly upstreams: readonly string[];
  /** How many the configuration has. */
  readonly configured: number;
  /** What was in force, of the settings that decide most. */
  readonly settings: {
    readonly mode: "resilient" | "go";
    readonly silenceMs: number;
    readonly hedge: boolean;
    /** 0 for never. */
    readonly probeEveryMs: number;
  };
};

export type HotVersion = Omit<IndexedVersion, "path"> & { readonly module: string };

export type MigrateReport = {
  readonly from: number;
  readonly to: number;
  readonly steps: readonly ("index" | "layout")[];
  readonly isDryRun: boolean;
};

type RemoteUse = { readonly at: RemoteFlags; readonly flags: SettingFlags };

/** In whose place to start. `file`: its configuration, when it is not where it usually is. */
export type CompatRequest = { readonly peer: "athens"; readonly file?: string | undefined };

/** What became of one key of the other program. `key` is the name under which it was said, `origin` the place. */
export type CompatRow = { readonly key: string; readonly origin: string } & (
  | {
      readonly kind: "mapped";
      readonly setting: string;
      /** Secrets are masked. */
      readonly value: string;
      readonly note?: string;
      /** Where Granary itself was told otherwise. */
      readonly overriddenBy?: string;
    }
  | { readonly kind: "ignored"; readonly reason: string }
  /** Going on without it would open what was closed, or change what clients get. */
  | { readonly kind: "refused"; readonly reason: string; readonly settledBy: readonly string[] }
  | { readonly kind: "unknown"; readonly nearest?: string }
);

export type CompatReport = {
  readonly peer: CompatRequest["peer"];
  readonly file: string | undefined;
  readonly rows: readonly CompatRow[];
};

export type CompatStart = {
  readonly report: CompatReport;
  /** Throws GRANARY_COMPAT_REFUSED while a row is refused. */
  readonly serve: () => Promise<number>;
};

export type CliServices = {
  readonly doctor: () => Promise<DoctorDesk>;
  /** Runs the server until it is told to stop; resolves to the exit code. */
  readonly serve: (flags: SettingFlags) => Promise<number>;
  /** Reads what was said to another proxy, and starts in its place. */
  readonly compat: (request: CompatRequest, flags: SettingFlags) => Promise<CompatStart>;
  /** Every setting with its value (secrets masked) and origin. */
  readonly showConfig: (flags: SettingFlags) => Promise<readonly ShownSetting[]>;
  /** What a request id stood for, asked of the running server; undefined when nobody remembers. */
  readonly lookUp: (id: string, flags: SettingFlags) => Promise<RememberedError | undefined>;
  /** What documents claim of go, and what is so. */
  readonly myths: () => Promise<readonly NamedMyth[]>;
  readonly upstreamStatus: (at: RemoteFlags, flags: SettingFlags) => Promise<readonly UpstreamView[]>;
  readonly upstreamProbe: (at: RemoteFlags, flags: SettingFlags) => Promise<readonly ProbeView[]>;
  readonly upstreamTurn: (name: string, verb: "disable" | "enable", use: RemoteUse) => Promise<void>;
  readonly jobsList: (at: RemoteFlags, flags: SettingFlags) => Promise<readonly JobView[]>;
  readonly jobsTurn: (id: string, verb: "retry" | "drop", use: RemoteUse) => Promise<void>;
  /** What a go.mod will make go fetch; undefined when it was told to stop. `progress` is called now and then. */
  readonly plan: (
    request: PlanRequest,
    flags: SettingFlags,
    progress: (done: number, phase: "graph" | "zips") => void,
  ) => Promise<PlanView | undefined>;
  /** Makes a module zip of a folder or tag, and sends it to a running server. `progress` is called before it is sent. */
  readonly publish: (
    request: PublishRequest,
    flags: SettingFlags,
    progress: (view: PublishView) => void,
  ) => Promise<PublishView>;
  /** Makes a running server keep what is named. `progress` is called now and then. */
  readonly prewarm: (
    request: PrewarmRequest,
    flags: SettingFlags,
    progress: (progress: Progress) => void,
  ) => Promise<PrewarmView>;
  /** What becomes of requests while upstreams are down, tried on a Granary of its own; undefined when told to stop. */
  readonly drillUpstream: (
    request: DrillRequest,
    flags: SettingFlags,
    progress: (progress: DrillProgress) => void,
  ) => Promise<DrillView | undefined>;
  /** Whether versions are still verified while databases are away, tried on Granaries of its own; undefined when told to stop. */
  readonly drillSumdb: (
    versions: number,
    flags: SettingFlags,
    progress: (done: number, total: number) => void,
  ) => Promise<RedundancyReport | undefined>;
  /** Tries what the store needs of its disk or its bucket; what is tried is put back as it was. */
  readonly storeCheck: (flags: SettingFlags) => Promise<StoreCheckView>;
  readonly storeStats: (flags: SettingFlags) => Promise<StoreStats>;
  /** Reads every kept byte and holds it against what was recorded. `progress` is called now and then. */
  readonly storeVerify: (
    flags: SettingFlags,
    progress: (checked: number, bytes: number) => void,
  ) => Promise<StoreReport>;
  /** Lets versions leave by a rule; what it leaves open is the configuration's. `progress` is called after each one. */
  readonly storeGc: (
    request: { readonly rule: Partial<GcRule>; readonly isDryRun: boolean; readonly byOwnUses: boolean },
    flags: SettingFlags,
    progress: (evicted: number, freed: number) => void,
  ) => Promise<GcReport & { readonly isDryRun: boolean; readonly rule: GcRule }>;
  readonly storeFsck: (
    request: { readonly repairs: boolean; readonly isDeep: boolean; readonly rebuilds: boolean },
    flags: SettingFlags,
    progress: (versions: number, bytes: number) => void,
  ) => Promise<FsckReport & { readonly indexed?: number }>;
  readonly storeScrub: (
    request: { /** 0 for no limit. */ readonly bytesPerSecond: number },
    flags: SettingFlags,
    progress: (versions: number, bytes: number) => void,
  ) => Promise<ScrubReport & { readonly damages: StoreReport["findings"] }>;
  readonly storeHot: (limit: number, flags: SettingFlags) => Promise<readonly HotVersion[]>;
  readonly storeMigrate: (
    isDryRun: boolean,
    flags: SettingFlags,
    progress: (done: number) => void,
  ) => Promise<MigrateReport>;
  /** Copies the store into the bucket of the settings, or back. `progress` is called after each file. */
  readonly storeMove: (
    request: MoveRequest,
    flags: SettingFlags,
    progress: (counts: MoveReport["counts"], versions: number) => void,
  ) => Promise<MoveView>;
  readonly storeRollback: (
    request: { readonly what: string; readonly sha256: string; readonly from: string | undefined },
    flags: SettingFlags,
  ) => Promise<RollbackReport>;
  readonly pinAdd: (
    request: { readonly what: string | undefined; readonly from: string | undefined },
    flags: SettingFlags,
  ) => Promise<Pinned>;
  readonly pinList: (flags: SettingFlags) => Promise<readonly Pinned[]>;
  readonly pinRemove: (id: string, flags: SettingFlags) => Promise<void>;
  /** Fills the store from a directory of another tool. `progress` is called after each version. */
  readonly storeImport: (
    request: ImportRequest,
    flags: SettingFlags,
    progress: (progress: ImportProgress) => void,
  ) => Promise<ImportView>;
  /** Writes a plain file:// GOPROXY tree. `progress` is called after each version. */
  readonly storeExport: (
    request: ExportRequest,
    flags: SettingFlags,
    progress: (versions: number, bytes: number) => void,
  ) => Promise<ExportView>;
  /** Copies the store into a folder of snapshots. `progress` is called after each file. */
  readonly storeSnapshot: (
    request: SnapshotRequest,
    flags: SettingFlags,
    progress: (counts: SnapshotReport["counts"]) => void,
  ) => Promise<SnapshotView>;
  readonly storeSnapshots: (dir: string) => Promise<readonly ListedSnapshot[]>;
  /** Puts a snapshot back. `progress` is called after each file. */
  readonly storeRestore: (
    request: RestoreRequest,
    flags: SettingFlags,
    progress: (counts: RestoreReport["counts"]) => void,
  ) => Promise<RestoreView>;
  readonly storeDefrag: (isDry: boolean, flags: SettingFlags) => Promise<DefragView>;
  readonly quarantineList: (flags: SettingFlags) => Promise<readonly QuarantinedItem[]>;
  readonly quarantineShow: (id: string, flags: SettingFlags) => Promise<QuarantinedItem>;
  /** Verifies the bytes anew and keeps them; a database mismatch is never passed. */
  /** False when it was held already. */
  readonly hold: (what: string, reason: string, flags: SettingFlags) => Promise<boolean>;
  /** Throws GRANARY_NO_SUCH_ID when it is not held. */
  readonly free: (what: string, flags: SettingFlags) => Promise<void>;
  readonly heldList: (flags: SettingFlags) => Promise<readonly HeldItem[]>;
  readonly quarantineRelease: (id: string, flags: SettingFlags) => Promise<QuarantinedItem>;
  readonly hashesList: (flags: SettingFlags) => Promise<readonly PinnedHash[]>;
  /** Forgets the pins of `module@version`; resolves to what was forgotten. */
  readonly hashesForget: (what: string, flags: SettingFlags) => Promise<readonly PinnedHash[]>;
  /** Lets an evicted version's zip come back packed otherwise. Throws GRANARY_NO_SUCH_ID when it is not evicted. */
  readonly hashesRepacked: (what: string, flags: SettingFlags) => Promise<void>;
  /** The text is shown once and never again. */
  /** Writes a new signer key; never over a file. */
  readonly sumdbKeygen: (request: { readonly name: string; readonly out: string }) => Promise<SumdbKey>;
  /** What clients of the own database set; `url` is where they reach this server. */
  readonly sumdbClientConfig: (url: string | undefined, flags: SettingFlags) => Promise<SumdbClientConfig>;
  /** Makes databases prove and keep the records of what is named. `progress` is called after each version. */
  readonly sumdbPreload: (
    request: PreloadRequest,
    flags: SettingFlags,
    progress: (done: number, total: number) => void,
  ) => Promise<PreloadView>;
  /** What a database says of `path@version`, and which parts of the proof hold. */
  readonly sumdbLookup: (what: string, request: LookupRequest, flags: SettingFlags) => Promise<Examination>;
  /** Holds go.sum files against the records. `progress` is called after each version. */
  readonly sumverify: (
    request: SumverifyRequest,
    flags: SettingFlags,
    progress: (done: number, total: number) => void,
  ) => Promise<GoSumsReport>;
  /** Keeps a store or a folder fresh until it is told to stop; resolves to the last whole round. */
  readonly sumgopher: (
    request: SumgopherRequest,
    flags: SettingFlags,
    onRound: (round: Round) => void,
  ) => Promise<Round | undefined>;
  /** Writes a report to a file. */
  readonly writeReport: (file: string, text: string) => Promise<void>;
  /** Runs a server for checksum databases until it is told to stop; resolves to the exit code. */
  readonly sumweb: (request: SumwebRequest, flags: SettingFlags) => Promise<number>;
  /** Runs the agent until it is told to stop; resolves to the exit code. */
  readonly agent: (request: AgentRequest) => Promise<number>;
  /** Makes the agent's systemd user unit; writes it when `install` is true. */
  readonly agentSetup: (request: AgentRequest, install: boolean) => Promise<AgentSetup>;
  /** Forks that were seen of the configured databases, decided ones too. */
  readonly sumdbAlarms: (flags: SettingFlags) => Promise<readonly SumdbAlarm[]>;
  /** Refuses the foreign head of a fork, so that the database is used again. `id` may be the beginning of one. */
  readonly sumdbResume: (
    request: { readonly id: string; readonly reason: string },
    flags: SettingFlags,
  ) => Promise<Pick<SumdbAlarm, "database" | "id">>;
  /** Holds tree heads that clients have met against the store's; newer ones that are proven become the newest here. */
  readonly sumdbHeadsImport: (request: SumdbImportRequest, flags: SettingFlags) => Promise<readonly OfferReport[]>;
  /** The newest proven heads, as a trusted file. */
  readonly sumdbPin: (flags: SettingFlags) => Promise<SumdbPins>;
  /** Holds a trusted file against the store and its routes; changes nothing. */
  readonly sumdbVerifyTrusted: (file: string, flags: SettingFlags) => Promise<readonly PinView[]>;
  readonly sumdbStatus: (at: RemoteFlags, flags: SettingFlags) => Promise<SumdbStatus>;
  /** What go does with a checksum database in an environment. */
  readonly sumdbExplain: (request: SumdbExplainRequest) => Promise<SumdbExplanation>;
  /** What go would see of this machine; runs nothing. */
  readonly environment: () => Promise<EnvironmentSeen>;
  /** Reads the own log from end to end. */
  readonly sumdbFsck: (flags: SettingFlags) => Promise<SumdbFsck>;
  readonly tokenAdd: (
    token: { readonly scope: "read" | "write"; readonly note: string },
    flags: SettingFlags,
  ) => Promise<{ readonly text: string; readonly info: TokenInfo }>;
  readonly tokenList: (flags: SettingFlags) => Promise<readonly TokenInfo[]>;
  readonly tokenRevoke: (id: string, flags: SettingFlags) => Promise<void>;
  /** go's module cache. */
  readonly modcache: () => Promise<ModcacheServices>;
  /** Requests as go makes them, and mirrors. */
  readonly http: () => Promise<HttpCommands>;
  /** The machine's settings: looks at them and changes them. */
  readonly envSetup: () => Promise<EnvSetup>;
  /** Diagnosis of TLS and DNS. */
  readonly network: () => Promise<NetworkCommands>;
  readonly trouble: () => Promise<TroubleTools>;
  readonly gen: () => Promise<GenTools>;
  /** Runs the conformance suite and prints its result through `out`; resolves to the exit code. */
  readonly conformance: (
    url: string,
    options: { readonly json: boolean; readonly lang: Lang; readonly out: (text: string) => void },
  ) => Promise<number>;
};

/** `gen`. */
export type GenTools = {
  /** Addresses in a file, one a line; empty lines and `#` left out. Throws GRANARY_INPUT_UNREADABLE. */
  readonly readNodes: (file: string) => Promise<readonly string[]>;
  /** Writes the file whole. Throws GRANARY_FILE_EXISTS for one that was not generated, GRANARY_CANNOT_RUN. */
  readonly write: (file: string, text: string) => Promise<void>;
  /** What this machine's nginx says of it; undefined when there is none. Throws GRANARY_CANNOT_RUN. */
  readonly testNginx: (options: NginxOptions) => Promise<NginxVerdict | undefined>;
};

export type NginxVerdict = { readonly isGood: boolean; readonly version: string; readonly said: string };

/** `go`: another version than the machine's. */
export type LabRequest = { readonly go: string | undefined } & (
  | { readonly kind: "fallback" }
  | { readonly kind: "chain"; readonly chain: LabChain }
  | { readonly kind: "go111module" }
);

/** `go`: the version that was seen. */
export type LabView = { readonly go: string } & (
  | { readonly kind: "fallback"; readonly cells: readonly FallbackCell[] }
  | { readonly kind: "chain"; readonly run: ChainRun }
  | { readonly kind: "go111module"; readonly runs: readonly ModuleModeRun[] }
);

export type RunRequest = AttemptPlan & {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** JSON lines are appended to it. */
  readonly log: string | undefined;
};

/** `explain-error`, `run`, `lab`. */
export type TroubleTools = {
  /** Undefined when it was told to stop. Throws GRANARY_CANNOT_RUN. */
  readonly lab: (
    request: LabRequest,
    onProgress: (done: number, total: number) => void,
  ) => Promise<LabView | undefined>;
  /** Runs a command, its output through to ours; resolves to the exit code. Throws GRANARY_CANNOT_RUN. */
  readonly run: (request: RunRequest, onAttempt: (attempt: Attempt) => void) => Promise<number>;
  /** Reads the end of a log; `-` is standard input. Throws GRANARY_INPUT_UNREADABLE. */
  readonly explainLog: (file: string) => Promise<ErrorReport>;
};

/** Where a command meets the terminal. */
export type CliIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly lang: Lang;
  /** Standard error is a terminal that understands colour and cursor movement. */
  readonly isTerminal: boolean;
  /** The terminal shows more than ASCII. */
  readonly isUtf8: boolean;
  /** Whose commands are shown. */
  readonly shell: Shell;
};

export type CliContext = {
  readonly io: CliIo;
  readonly services: CliServices;
  readonly settingFlags: readonly SettingFlag[];
  readonly version: string;
};

/** Exit codes: all well, findings, bad usage, could not run. */
export const exit = { ok: 0, findings: 1, usage: 2, failed: 3 } as const;
