/** One run from the empty cluster to the end, in virtual time. */
import { parseDuration } from '../../src/api/duration.ts';
import type { Millis } from '../../src/lib/clock.ts';
import type { Kind } from '../../src/sim/apiserver/api.ts';
import * as kinds from '../../src/sim/apiserver/kinds.ts';
import type { Case } from './case.ts';
import { call, createMaintenance, createPolicy, doDeed } from './deeds.ts';
import { BUSY_MS } from './draw.ts';
import { startDrover } from './faults.ts';
import { callOut, createNode } from './nodes.ts';
import { promises } from './promises.ts';
import { openStage, type Stage } from './stage.ts';
import { createWorkload, startFinalizing } from './workloads.ts';

export interface RunResult {
  readonly breaches: readonly string[];
  /** What happened, a line for each request and deed; empty without `trace`. */
  readonly said: readonly string[];
  /** When the last change of an object was made and how many there were: two runs of one case agree in both. */
  readonly digest: string;
}

const SETUP_MS: Millis = 45_000;
const LOOK_MS: Millis = 10_000;
/** Long enough for three attempts with the longest of the drawn patience, one node after the other. */
const REST_MS: Millis = 3 * 3_600_000;

/** Moves time on, unless the run was given up. */
async function pass({ clock, isGivenUp }: Stage, ms: Millis): Promise<void> {
  const until = clock.now() + ms;
  await clock.run({ until, stop: isGivenUp });
  // As `advance` does: what the last instant has set going is seen.
  if (!isGivenUp()) await clock.advance(0);
}

const OVER = new Set(['HandedBack', 'Cancelled', 'Failed', 'Drained']);
/** What only somebody else ends: nothing comes of waiting longer. */
const STANDS = new Set([
  'Paused',
  'PolicyPaused',
  'PolicyMissing',
  'MaxNodes',
  'GroupLimit',
  'NodeTaken',
  'Finalizer',
  'RebootFailed',
  'VerifyFailed',
]);
const QUIET_MS: Millis = 40_000;

/** For how long nothing may change although something is still to come: the longest patience of what is under way. */
function patience({ api, maintenances, clock }: Stage): Millis {
  let longest = QUIET_MS;
  for (const { spec, status } of api.list(maintenances)) {
    if (OVER.has(status?.phase ?? '') || STANDS.has(status?.waitingFor?.cause ?? '')) continue;
    const { stepAside, handoverTimeout, settle: settling } = spec.drain;
    const { reboot, verify } = spec;
    const acts = [reboot?.timeout, reboot?.delayBefore, verify?.readyTimeout, verify?.healthyFor].flatMap((each) => each ?? []);
    const waits = [stepAside, handoverTimeout, settling.timeout, ...acts].map(parseDuration);
    const retry = status?.retryAt === undefined ? 0 : Date.parse(status.retryAt) - clock.now();
    longest = Math.max(longest, retry + QUIET_MS, Math.max(...waits) + QUIET_MS);
  }
  return longest;
}

/** Moves time on until nothing of interest has changed for a while. */
async function settle(stage: Stage): Promise<void> {
  const { api, clock } = stage;
  const watched: readonly Kind[] = [stage.maintenances, kinds.nodes, kinds.pods] as readonly Kind[];
  const look = () => watched.map((kind) => api.list(kind).map(({ metadata: { resourceVersion } }) => resourceVersion)).join();
  const until = clock.now() + REST_MS;
  let seen = look();
  let since = clock.now();
  while (clock.now() < until && !stage.isGivenUp() && clock.now() - since < patience(stage)) {
    await pass(stage, LOOK_MS);
    const now = look();
    if (now !== seen) [seen, since] = [now, clock.now()];
  }
}

/** @param trace keep what happened, for people */
export async function runCase(drawn: Case, trace = false): Promise<RunResult> {
  const stage = openStage(drawn, trace);
  const { api, clock, cluster } = stage;
  drawn.nodes.forEach((each, index) => createNode(stage, `node-${index}`, each));
  await clock.advance(1_000);
  drawn.workloads.forEach((each, index) => createWorkload(stage, `app-${index}`, each));
  startFinalizing(stage);
  drawn.policies.forEach((each, index) => createPolicy(stage, `policy-${index}`, each));
  await clock.advance(SETUP_MS);

  const kept = promises.map((promise) => promise(stage));
  const drover = startDrover(stage);
  drawn.nodes.forEach((each, index) => each.calledOut && call(stage, `node-${index}`, true));
  drawn.byHand.forEach((each, index) => clock.after(each.at, () => createMaintenance(stage, `by-hand-${index}`, each)));
  for (const deed of drawn.deeds) clock.after(deed.at, () => doDeed(stage, deed));
  await pass(stage, BUSY_MS);

  drover.leaveInPeace();
  stage.say('-----   no more faults');
  await settle(stage);
  if (!stage.isGivenUp()) for (const each of kept) each.whenAtRest?.();

  stage.say('-----   everything is called off');
  for (const node of api.list(kinds.nodes))
    for (const reason of ['taint', 'label', 'condition'] as const) callOut(stage, node.metadata.name, reason, false);
  for (const { metadata } of api.list(stage.maintenances))
    stage.ask('PATCH', `/apis/${stage.maintenances.group}/${stage.maintenances.version}/nodemaintenances/${metadata.name}`, {
      spec: { cancelled: true },
    });
  await settle(stage);
  if (!stage.isGivenUp()) for (const each of kept) each.whenAllIsOver?.();
  const digest = `${stage.time()} ${api
    .list(kinds.pods)
    .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
    .join(' ')}`;
  cluster.stop();
  return { breaches: stage.breaches, said: stage.said, digest };
}
