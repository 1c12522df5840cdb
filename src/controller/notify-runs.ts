/**
 * Runs: the nodes of a policy that are out at about the same time, told as one. A run begins with the first node that starts and ends when
 * none is under way; since when it lasts and its messages are in the status of the policy, for the next leader.
 */
import { GROUP_VERSION } from '../api/names.ts';
import type { MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import { parseDuration } from '../api/duration.ts';
import { isoSeconds } from '../engine/journal.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Place } from '../notify/node-news.ts';
import type { Lane } from '../notify/notifier.ts';
import { hasEnded, type RunMember, runNotice } from '../notify/run-news.ts';

export interface NotifyRuns {
  /** Something has happened to a node of the policy that is to be told there. */
  changed(policy: string, lanes: readonly Lane[], now: Millis): void;
  /** The run's thread: what is told at once answers its message. */
  threadOf(policy: string, now: Millis): string;
  messageOf(thread: string, lane: string): string | null;
  noteDelivered(thread: string, lane: string, message: string | null): void;
  reset(): void;
  /** Tells and writes what has changed since the last time. */
  flush(): Promise<void>;
}

export interface NotifyRunsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly place: Place;
  readonly leads: () => boolean;
  readonly policy: (name: string) => MaintenancePolicy | undefined;
  readonly maintenances: () => Iterable<NodeMaintenance>;
  /** As decided last; undefined where its object says it. */
  readonly phaseOf: (maintenance: string) => string | undefined;
  readonly waitOf: (maintenance: string) => string | undefined;
}

interface Run {
  readonly policy: string;
  readonly since: Millis;
  readonly messages: Map<string, string>; // by lane
  /** By name of the lane. */
  readonly told: Map<string, { at: Millis; text: string }>;
  lanes: readonly Lane[];
  cancel: (() => void) | null;
  written: string;
  ended: boolean;
}

// An edit calls nobody, but services count them.
const EDIT_EVERY_MS: Millis = 5_000;
/** The first message waits for the nodes that start together. */
const GATHER_MS: Millis = 2_000;

export function createNotifyRuns(options: NotifyRunsOptions): NotifyRuns {
  const { client, clock, log, place, leads, policy: policyOf, maintenances, phaseOf, waitOf } = options;
  const runs = new Map<string, Run>();
  const underWay = new Set<Promise<void>>();

  const phase = ({ metadata, status }: NodeMaintenance) => phaseOf(metadata.name) ?? status?.phase ?? 'Pending';
  const createdAt = ({ metadata }: NodeMaintenance) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  const ofPolicy = (name: string) => [...maintenances()].filter(({ spec }) => spec.policy === name);
  const member = (each: NodeMaintenance): RunMember => {
    const waitsFor = waitOf(each.metadata.name);
    return { node: each.spec.nodeName, phase: phase(each), ...(waitsFor !== undefined && { waitsFor }) };
  };

  const open = (name: string, now: Millis): Run => {
    const known = runs.get(name);
    if (known && !known.ended) return known;
    const saved = known ? undefined : policyOf(name)?.status?.run;
    const living = ofPolicy(name).filter((each) => !hasEnded([member(each)]));
    const since = saved ? Date.parse(saved.since) : Math.min(now, ...living.map(createdAt).filter((at) => at > 0));
    const run: Run = {
      policy: name,
      since,
      messages: new Map(saved?.messages.map((each) => [each.name, each.message])),
      told: new Map(),
      lanes: [],
      cancel: null,
      written: JSON.stringify(saved ?? null),
      ended: false,
    };
    runs.set(name, run);
    return run;
  };

  const membersOf = ({ policy: name, since }: Run) =>
    ofPolicy(name)
      .filter((each) => createdAt(each) >= since - 1_000 || createdAt(each) === 0)
      .map(member);

  const every = ({ edits, entry }: Lane) => (edits ? EDIT_EVERY_MS : parseDuration(entry.digestEvery));

  const tell = (run: Run) => {
    run.cancel = null;
    if (!leads()) return;
    const now = clock.now();
    const members = membersOf(run);
    run.ended = hasEnded(members);
    const notice = runNotice({ policy: run.policy, since: run.since, at: now, members }, place);
    let next = Number.POSITIVE_INFINITY;
    for (const lane of run.lanes) {
      const last = run.told.get(lane.name);
      if (last?.text === notice.text) continue;
      const due = last === undefined ? now : last.at + every(lane);
      if (now < due && !run.ended) {
        next = Math.min(next, due);
        continue;
      }
      run.told.set(lane.name, { at: now, text: notice.text });
      lane.put(notice);
    }
    if (Number.isFinite(next)) run.cancel = clock.after(next - now, () => tell(run));
    if (run.ended) save(run);
  };

  const save = (run: Run) => {
    const messages = [...run.messages].map(([name, message]) => ({ name, message }));
    const value = run.ended ? null : { since: isoSeconds(run.since), messages };
    const text = JSON.stringify(value);
    if (run.written === text) return;
    run.written = text;
    const path = `/apis/${GROUP_VERSION}/maintenancepolicies${pathOf(run.policy, 'status')}`;
    const written = client
      .json({ method: 'PATCH', path, contentType: MERGE_PATCH, body: { status: { run: value } } })
      .then(
        () => {},
        (error: unknown) => {
          if (!(error instanceof KubeError)) throw error;
          run.written = '';
          if (error.code !== 404) log.warn(`cannot note what was told of maintenancepolicy ${run.policy}: ${error.message}`);
        },
      )
      .catch((error: unknown) => log.error(`unexpected: ${String(error)}`));
    underWay.add(written);
    void written.finally(() => underWay.delete(written));
  };

  const runOf = (thread: string): Run | undefined => {
    const [, name = '', since] = thread.split(':');
    const run = runs.get(name);
    return run && Math.floor(run.since / 1_000) === Number(since) ? run : undefined;
  };

  return {
    changed(name, lanes, now) {
      if (lanes.length === 0) return;
      const run = open(name, now);
      run.lanes = [...new Map([...run.lanes, ...lanes].map((lane) => [lane.name, lane])).values()];
      run.cancel ??= clock.after(GATHER_MS, () => tell(run));
    },
    threadOf: (name, now) => `run:${name}:${Math.floor(open(name, now).since / 1_000)}`,
    messageOf: (thread, lane) => runOf(thread)?.messages.get(lane) ?? null,
    noteDelivered(thread, lane, message) {
      const run = runOf(thread);
      if (!run || message === null || run.messages.get(lane) === message) return;
      run.messages.set(lane, message);
      save(run);
    },
    reset() {
      for (const run of runs.values()) run.cancel?.();
      runs.clear();
    },
    async flush() {
      for (const run of runs.values()) {
        if (run.cancel === null) continue;
        run.cancel();
        tell(run);
        run.cancel?.();
      }
      await Promise.all(underWay);
    },
  };
}
