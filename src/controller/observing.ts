/** The Observer of a running controller: turns what it sees into metrics, events and node conditions. Its failures hinder nothing. */
import type { Node } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import { terminalPhases } from '../engine/maintenance.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import {
  ANNOUNCE_AFTER_MS,
  CONDITIONS_PATCH,
  type ConditionsPatch,
  conditionsPatch,
  removeConditionsPatch,
} from './conditions.ts';
import type { EventRecorder } from './event-recorder.ts';
import { breakerEvent, type EventMemory, eventsFor, eventsOfAnswer } from './events.ts';
import type { ControllerMetrics } from './metrics.ts';
import { type Line, phaseLine, waitLine } from './narrate.ts';
import type { Observer } from './observer.ts';
import { stateAfter } from './status.ts';

export interface ObserverOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ControllerMetrics;
  readonly recorder: Pick<EventRecorder, 'record'>;
}

const PATCHES_IN_FLIGHT = 10;
const PATCH_RETRY_MS = 10_000;
const SWEEP_EVERY_MS = 30_000;
// As the events: a policy that is paused holds many nodes back, and is told once.
const TELL_AGAIN_MS = 300_000;

const noTimer = () => {};

/** Acts only between `leading(true)` and `leading(false)`. */
export function createObserver({ client, clock, log, metrics, recorder }: ObserverOptions): Observer {
  const memories = new Map<string, EventMemory>(); // by maintenance
  const tries = new Map<string, { version: string; inFlight: boolean; retryAt: Millis }>(); // by node
  const said = new Map<string, Millis>(); // waits, by the key of their event
  let inFlight = 0;
  let leads = false;
  let sweepAt = Number.NEGATIVE_INFINITY;
  let cancelTimer = noTimer;
  let seen: { decisions: readonly Decision[]; nodes: ReadonlyMap<string, Node> } = { decisions: [], nodes: new Map() };

  const say = ({ level, message }: Line) => log[level](message);

  const look = (now: Millis) => {
    const { decisions, nodes } = seen;
    let wakeAt: Millis | null = null;
    const wake = (at: Millis) => (wakeAt = wakeAt === null ? at : Math.min(wakeAt, at));
    for (const decision of decisions) {
      const { maintenance, phase } = decision;
      const node = nodes.get(maintenance.nodeName);
      const told = eventsFor(memories.get(maintenance.id), decision, node, now);
      const line = phaseLine(decision, now);
      if (line) say(line);
      for (const event of told.events) {
        recorder.record(event);
        const wait = waitLine(event);
        if (!wait || now < (said.get(event.dedupKey) ?? Number.NEGATIVE_INFINITY) + TELL_AGAIN_MS) continue;
        said.set(event.dedupKey, now);
        say(wait);
      }
      if (terminalPhases.has(phase)) memories.delete(maintenance.id);
      else memories.set(maintenance.id, told.memory);
      if (told.wakeAt !== null) wake(told.wakeAt);
      if (phase === 'Pending' && now < maintenance.state.phaseSince + ANNOUNCE_AFTER_MS)
        wake(maintenance.state.phaseSince + ANNOUNCE_AFTER_MS);
      const patch = node && conditionsPatch(decision, node, now);
      if (node && patch && !send(node, patch, now)) wake(now + PATCH_RETRY_MS);
    }
    if (now >= sweepAt) sweep(now);
    // Ended ones are seen once: whether their conditions have really gone is looked at a little later.
    if (decisions.some((decision) => terminalPhases.has(decision.phase)))
      wake((sweepAt = Math.min(sweepAt, now + PATCH_RETRY_MS)));
    cancelTimer();
    cancelTimer = wakeAt === null ? noTimer : clock.after(Math.max(1, wakeAt - now), again);
  };

  /** Time has passed and nothing else: the same decisions, their phases no longer new. */
  const again = () => {
    const now = clock.now();
    const decisions = seen.decisions.map((decision) => ({
      ...decision,
      maintenance: { ...decision.maintenance, state: stateAfter(decision, now) },
    }));
    seen = { ...seen, decisions: decisions.filter((decision) => !terminalPhases.has(decision.phase)) };
    look(now);
  };

  /** Conditions of maintenances that ended or were deleted while the patch that takes them off did not get through. */
  const sweep = (now: Millis) => {
    sweepAt = now + SWEEP_EVERY_MS;
    const worked = new Set(seen.decisions.map((decision) => decision.maintenance.nodeName));
    for (const node of seen.nodes.values()) {
      const patch = worked.has(node.name) ? null : removeConditionsPatch(node);
      if (patch) send(node, patch, now);
    }
    for (const [key, at] of said) if (now >= at + TELL_AGAIN_MS) said.delete(key);
    for (const name of tries.keys()) if (!seen.nodes.has(name)) tries.delete(name);
    const living = new Set(seen.decisions.map((decision) => decision.maintenance.id));
    for (const id of memories.keys()) if (!living.has(id)) memories.delete(id);
  };

  /** False when it has to wait. */
  const send = (node: Node, body: ConditionsPatch, now: Millis): boolean => {
    const last = tries.get(node.name);
    // While the cache shows the version that was patched, the patch has not been seen.
    if (last && (last.inFlight || (last.version === node.resourceVersion && now < last.retryAt))) return false;
    if (inFlight >= PATCHES_IN_FLIGHT) return false;
    const entry = { version: node.resourceVersion, inFlight: true, retryAt: now + PATCH_RETRY_MS };
    tries.set(node.name, entry);
    inFlight += 1;
    const path = pathOf('api/v1/nodes', node.name, 'status');
    client
      .json({ method: 'PATCH', path, contentType: CONDITIONS_PATCH, body })
      .catch((error: unknown) => {
        const gone = error instanceof KubeError && error.code === 404;
        if (!gone)
          log.warn(`cannot write the conditions of node ${node.name}: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        entry.inFlight = false;
        inFlight -= 1;
      });
    return true;
  };

  return {
    leading(now) {
      leads = now;
      metrics.leading(now);
      memories.clear();
      if (!now) cancelTimer();
    },
    passed(decisions, nodes, now, tookMs) {
      metrics.passed(decisions, now, tookMs);
      if (!leads) return;
      seen = { decisions, nodes };
      look(now);
    },
    answered(maintenance, effect, answer) {
      metrics.answered(effect, answer);
      for (const event of eventsOfAnswer(maintenance, effect, answer)) recorder.record(event);
    },
    watchRestarted: (what) => metrics.watchRestarted(what),
    breakerTurned({ name, uid }, { open, failures }, isNews) {
      metrics.breakerTurned(name, open);
      if (!isNews) return;
      const event = breakerEvent({ name, uid }, open, failures);
      recorder.record(event);
      log[open ? 'warn' : 'info'](`policy ${name}: ${event.message}`);
    },
    gateAnswered: (ask, result) => metrics.gateAnswered(ask, result),
  };
}
