/**
 * From what the controller decides to what people are told. It sees every pass, sends nothing itself, and hinders nothing: requests are made
 * by the queues of the channels. Only the leader tells; what its predecessor has told is marked (notice-marks.ts).
 */
import type { Node } from '../api/objects.ts';
import type { Topic } from '../api/notify.ts';
import { parseDuration } from '../api/duration.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import type { Blocker } from '../engine/blocker.ts';
import type { Decision } from '../engine/decide.ts';
import { explain } from '../engine/explain.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { historyLine, keyOf, type NodeNews, noticeOf, type Place } from '../notify/node-news.ts';
import { isWanted, type Lane, type Notifier } from '../notify/notifier.ts';
import { compileMaintenance, stateOf } from './compile.ts';
import { isNews, waitKey } from './events.ts';
import type { NoticeMarks } from './notice-marks.ts';
import type { NotifyOwners } from './notify-owners.ts';
import type { NotifyRuns } from './notify-runs.ts';
import type { Watched } from './observer.ts';
import { stateAfter, viewpointOf } from './status.ts';

export interface Notifying {
  watching(watched: Watched): void;
  leading(leads: boolean): void;
  passed(decisions: readonly Decision[], nodes: ReadonlyMap<string, Node>, now: Millis): void;
  phaseOf(maintenance: string): string | undefined;
  /** What it waits for, where that is news. */
  waitOf(maintenance: string): string | undefined;
}

export interface NotifyingOptions {
  readonly clock: Clock;
  readonly notifier: Notifier;
  readonly marks: NoticeMarks;
  readonly runs: NotifyRuns;
  readonly owners: NotifyOwners;
  readonly place: Place;
}

/** Phase that is entered -> what is told. Phases that are not here say nothing by themselves. */
const topicOf: Readonly<Record<string, Topic>> = {
  Draining: 'Started',
  Drained: 'Drained',
  Rebooting: 'Rebooting',
  Verifying: 'Verifying',
  HandedBack: 'HandedBack',
  BackOff: 'SteppedAside',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
};

/** The beginning is told with the pods that have to leave, which are read a moment later. */
const PODS_WITHIN_MS: Millis = 5_000;
/** What the last leader has told may not be marked yet; and what is older than so much is no news. */
const CATCH_UP_AFTER_MS: Millis = 10_000;
const CATCH_UP_SPAN_MS: Millis = 600_000;
const SWEEP_EVERY_MS: Millis = 300_000;
const MAX_HISTORY = 12;

interface Wait {
  readonly key: string;
  readonly since: Millis;
  readonly blocker: Blocker;
  /** One wait of a whole policy is told once, for all its nodes. */
  readonly scope: string;
  /** Lanes through which the owners of the pod were told, or are about to be. */
  readonly owners: Set<string>;
}

interface Memory {
  maintenance: Maintenance;
  phase: Decision['phase'];
  pods: NodeNews['pods'];
  /** Since when the news of its start waits for its pods. */
  starting: Millis | null;
  wait: Wait | null;
  readonly history: string[];
}

const nothingWatched: Watched = { policies: () => [], maintenances: () => [], maintenance: () => undefined };

export function createNotifying({ clock, notifier, marks, runs, owners, place }: NotifyingOptions): Notifying {
  const memories = new Map<string, Memory>();
  const toldScopes = new Set<string>();
  let watched = nothingWatched;
  let nodes: ReadonlyMap<string, Node> = new Map();
  let leads = false;
  let generations = '';
  let cancelTimer = () => {};
  let cancelCatchUp = () => {};
  let sweepAt = Number.NEGATIVE_INFINITY;

  const readPolicies = () => {
    const policies = [...watched.policies()];
    const next = policies.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.generation}`).join('\n');
    if (next === generations) return;
    generations = next;
    notifier.setPolicies(policies.map(({ metadata, spec }) => ({ name: metadata.name, notify: spec.notify ?? [] })));
  };

  const newsOf = (memory: Memory, topic: Topic, at: Millis, message = ''): NodeNews => {
    const { maintenance, phase, pods, wait, history } = memory;
    const { state, goneAt } = maintenance;
    const waiting =
      topic === 'Waiting' && wait ? { cause: wait.blocker.cause, ...explain(wait.blocker, at, viewpointOf(maintenance)) } : null;
    return {
      topic,
      at,
      maintenance: maintenance.id,
      node: maintenance.nodeName,
      labels: nodes.get(maintenance.nodeName)?.labels ?? {},
      policy: maintenance.policy,
      reasonType: maintenance.reasonType,
      reason: maintenance.reason,
      phase,
      ...(state.startedAt !== undefined && { startedAt: state.startedAt }),
      ...(goneAt !== undefined && { deadline: goneAt }),
      message,
      ...(waiting && { waiting }),
      pods,
      waitKey: topic === 'Waiting' && wait ? wait.key : '',
      history: [...history],
    };
  };

  const tell = (news: NodeNews, only?: (lane: Lane) => boolean) => {
    const { topic, policy, at } = news;
    const lanes = notifier.lanesOf(policy);
    const changedRuns: Lane[] = [];
    const notice = noticeOf(news, place);
    for (const lane of lanes) {
      if (only && !only(lane)) continue;
      const perRun = lane.entry.per === 'Run' && policy !== null;
      if (perRun) changedRuns.push(lane);
      if (!isWanted(lane, topic, news.reasonType, news.reason)) continue;
      if (perRun && notice.kind === 'State' && !lane.resolves) continue;
      if (marks.isTold(news.maintenance, lane.id, notice.key)) continue;
      marks.notePut(news.maintenance, lane.id, notice.key);
      const own = lane.edits && !perRun ? notice : { ...notice, text: notice.title };
      lane.put(perRun ? { ...own, thread: runs.threadOf(policy, at) } : own);
    }
    if (policy !== null) runs.changed(policy, changedRuns, at);
    if (!only) owners.tell(news, lanes);
    const memory = memories.get(news.maintenance);
    if (!memory) return;
    memory.history.push(historyLine(news));
    memory.history.splice(0, memory.history.length - MAX_HISTORY);
  };

  const waitAfter = (before: Wait | null, { maintenance, phase, waitingFor }: Decision, now: Millis): Wait | null => {
    if (!waitingFor || !isNews(phase, waitingFor)) return null;
    const key = waitKey(waitingFor);
    if (before?.key === key) return { ...before, blocker: waitingFor };
    const written = watched.maintenance(maintenance.id)?.status?.waitingFor;
    // An earlier leader has seen it begin.
    const since = written?.cause === waitingFor.cause ? Math.min(now, Date.parse(written.since) || now) : now;
    const scope = 'policy' in waitingFor ? `policy/${waitingFor.policy}/${key}` : '';
    return { key, since, blocker: waitingFor, scope, owners: new Set() };
  };

  /** @returns when it is to be looked at again */
  const lookAtWaits = (now: Millis): Millis => {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const memory of memories.values()) {
      const { wait, maintenance } = memory;
      if (memory.starting !== null) wakeAt = Math.min(wakeAt, memory.starting + PODS_WITHIN_MS);
      if (!wait) continue;
      const due: Lane[] = [];
      const ownersDue: Lane[] = [];
      const key = keyOf({ topic: 'Waiting', waitKey: wait.key, ...startOf(maintenance) });
      for (const lane of notifier.lanesOf(maintenance.policy)) {
        const scope = `${lane.name} ${wait.scope}`;
        const at = wait.since + parseDuration(lane.entry.waitingFor);
        if (lane.forNamespaces && !wait.owners.has(lane.name)) {
          if (now < at) wakeAt = Math.min(wakeAt, at);
          else ownersDue.push(lane);
        }
        if (wait.scope !== '' && toldScopes.has(scope)) continue;
        if (marks.isTold(maintenance.id, lane.id, key)) {
          if (wait.scope !== '') toldScopes.add(scope);
        } else if (now < at) wakeAt = Math.min(wakeAt, at);
        else if (isWanted(lane, 'Waiting', maintenance.reasonType, maintenance.reason)) {
          due.push(lane);
          if (wait.scope !== '') toldScopes.add(scope);
        }
      }
      if (due.length === 0 && ownersDue.length === 0) continue;
      const news = newsOf(memory, 'Waiting', now);
      for (const { name } of ownersDue) wait.owners.add(name);
      owners.tell(news, ownersDue);
      if (due.length > 0) tell(news, (lane) => due.includes(lane));
    }
    return wakeAt;
  };

  const tellStart = (memory: Memory, now: Millis) => {
    const { starting: at, pods } = memory;
    if (at === null || (pods === null && memory.phase === 'Draining' && now < at + PODS_WITHIN_MS)) return;
    memory.starting = null;
    tell({ ...newsOf(memory, 'Started', at), phase: 'Draining' });
  };
  const lookAtStarts = (now: Millis) => {
    for (const memory of memories.values()) tellStart(memory, now);
  };

  const arm = (wakeAt: Millis) => {
    cancelTimer();
    if (!Number.isFinite(wakeAt)) return;
    cancelTimer = clock.after(Math.max(1, wakeAt - clock.now()), () => {
      if (!leads) return;
      lookAtStarts(clock.now());
      arm(lookAtWaits(clock.now()));
    });
  };

  const enter = (memory: Memory, decision: Decision, now: Millis) => {
    const { maintenance, phase, change } = decision;
    const { state } = maintenance;
    // From Settling: pods came back to an empty node, and the same drain goes on.
    if (phase === 'Draining' && state.phase !== 'Settling') memory.starting = now;
    // Paused in the middle: it is planned again.
    const topic = phase === 'Pending' && state.phase === 'Undoing' ? 'SteppedAside' : topicOf[phase];
    if (topic === undefined || phase === 'Draining') return;
    // Of a thousand nodes that were never begun nobody wants to hear that they are not.
    if (phase === 'Cancelled' && state.startedAt === undefined) {
      if (maintenance.policy !== null) runs.changed(maintenance.policy, perRun(maintenance.policy), now);
      return;
    }
    tell(newsOf(memory, topic, now, change?.message ?? state.message ?? ''));
  };
  const perRun = (policy: string) => notifier.lanesOf(policy).filter(({ entry }) => entry.per === 'Run');

  /** What changed last under an earlier leader, and was not told by it. */
  const catchUp = () => {
    const now = clock.now();
    for (const object of watched.maintenances()) {
      const { phase, phaseSince, message = '' } = object.status ?? {};
      const topic = phase === undefined ? undefined : topicOf[phase];
      const since = Date.parse(phaseSince ?? '');
      if (topic === undefined || phase === undefined || !(now - since < CATCH_UP_SPAN_MS)) continue;
      if (phase === 'Cancelled' && object.status?.startedAt === undefined) continue;
      const memory = memories.get(object.metadata.name) ?? remembered(object);
      if (memory.phase !== phase) continue; // it has gone on meanwhile, which has been told
      tell(newsOf(memory, topic, since, message), ({ entry }) => entry.per === 'Node');
    }
  };

  const sweep = (now: Millis, living: readonly Decision[]) => {
    sweepAt = now + SWEEP_EVERY_MS;
    const ids = new Set(living.map(({ maintenance }) => maintenance.id));
    for (const id of memories.keys()) if (!ids.has(id) && !watched.maintenance(id)) memories.delete(id);
    // A wait of a policy that nobody has any more is news when it comes back.
    const scopes = new Set([...memories.values()].map(({ wait }) => wait?.scope ?? ''));
    for (const told of toldScopes) if (!scopes.has(told.slice(told.indexOf(' ') + 1))) toldScopes.delete(told);
    marks.sweep();
  };

  return {
    watching(next) {
      watched = next;
    },
    leading(next) {
      leads = next;
      cancelTimer();
      cancelCatchUp();
      memories.clear();
      toldScopes.clear();
      runs.reset();
      marks.reset();
      if (!next) return notifier.abandon();
      cancelCatchUp = clock.after(CATCH_UP_AFTER_MS, () => {
        readPolicies();
        if (leads && notifier.lanes.length > 0) catchUp();
      });
    },
    passed(decisions, seen, now) {
      if (!leads) return;
      nodes = seen;
      readPolicies();
      if (notifier.lanes.length === 0) {
        memories.clear();
        return;
      }
      for (const decision of decisions) {
        const { maintenance, phase, pods } = decision;
        const state = stateAfter(decision, now);
        const known = memories.get(maintenance.id);
        const memory: Memory = known ?? { maintenance, phase, pods: null, starting: null, wait: null, history: [] };
        if (!known) memories.set(maintenance.id, memory);
        memory.maintenance = { ...maintenance, state };
        memory.phase = phase;
        if (pods)
          memory.pods ??= pods.flatMap((each) =>
            each.state === 'Skipped' ? [] : [{ namespace: each.pod.namespace, name: each.pod.name }],
          );
        if (phase === 'Draining' && maintenance.state.phase === 'Pending') memory.pods = null; // of an earlier try
        memory.wait = waitAfter(memory.wait, decision, now);
        tellStart(memory, now); // before what came after it
        if (phase !== maintenance.state.phase) enter(memory, decision, now);
      }
      lookAtStarts(now);
      arm(lookAtWaits(now));
      if (now >= sweepAt) sweep(now, decisions);
    },
    phaseOf: (id) => memories.get(id)?.phase,
    waitOf(id) {
      const memory = memories.get(id);
      return memory?.wait ? explain(memory.wait.blocker, clock.now(), viewpointOf(memory.maintenance)).message : undefined;
    },
  };
}

function startOf({ state }: Maintenance): { startedAt?: Millis } {
  return state.startedAt === undefined ? {} : { startedAt: state.startedAt };
}

/** One that has ended, or that this process has not seen in a pass yet. */
function remembered(object: NodeMaintenance): Memory {
  const state = stateOf(object);
  const memory = { progressAt: null, moved: [], movedClaims: null };
  const pods = (object.status?.pods ?? []).filter((pod) => pod.state !== 'Skipped');
  return {
    maintenance: { ...compileMaintenance(object, { hooks: '', reboots: '' }), state, memory }, // no message names the namespace of its pods and Jobs
    phase: state.phase,
    pods: pods.length > 0 ? pods : null,
    starting: null,
    wait: null,
    history: [],
  };
}
