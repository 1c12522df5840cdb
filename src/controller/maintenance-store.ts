/**
 * NodeMaintenance objects as the runner's store: the spec comes from the API server, the status is ours to write. What was decided
 * holds at once in memory; the object follows, urgent changes at once and progress at most every two seconds. Only the leader writes.
 */
import type { NodeMaintenance } from '../api/resources.ts';
import type { Decision } from '../engine/decide.ts';
import { isoSeconds } from '../engine/journal.ts';
import { activePhases, type Maintenance, terminalPhases } from '../engine/maintenance.ts';
import type { KubeClient } from '../kube/client.ts';
import { collectionPath } from '../kube/kinds.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createBackgroundRequests } from './background-requests.ts';
import type { ActingNamespaces } from './compile-action.ts';
import { compileMaintenance, leftBehind, stateOf } from './compile.ts';
import { validateMaintenance } from './admit.ts';
import type { ApiStore } from './api-store.ts';
import { maintenanceKind, maintenancePath } from './custom-kinds.ts';
import { causeHeld } from './ended.ts';
import { historyOf } from './history.ts';
import { approvalEntry, journalEntry } from './journal-entry.ts';
import { type Entry, idle } from './maintenance-entry.ts';
import { nameOf, newMaintenance, type NodeMaintenanceDraft } from './new-maintenance.ts';
import { createUpkeep, hasFinalizer } from './maintenance-upkeep.ts';
import type { Progress } from './progress.ts';
import { createStatusWriter } from './status-writer.ts';

export interface ApiStoreOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  readonly mayAct: () => boolean;
  readonly onChange: () => void;
  readonly namespaces: ActingNamespaces;
  /** Does the reason of an ended one hold? Such a one is kept as long as it does: without it the node would be rebooted anew. Default: no. */
  readonly holds?: (maintenance: Maintenance) => boolean;
  /** What there is for a node has changed: a maintenance came, ended or went, or another may be created. */
  readonly onNode: (nodeName: string) => void;
}

const RETRY_MS = 1_000;

export function createMaintenanceStore(options: ApiStoreOptions): ApiStore {
  const { client, clock, log, progress, mayAct, onChange, onNode: tellOfNode } = options;
  const entries = new Map<string, Entry>();
  /** Those that have not ended: of a fleet's week, few. */
  const live = new Map<string, Entry>();
  const byNode = new Map<string, Set<string>>(); // node name -> ids
  const creating = new Set<string>(); // node names
  /** Nodes whose maintenance could not be created: nothing is begun there before there is one, or they would be cordoned and undone without end. */
  const careful = new Set<string>();
  let active = 0; // as of the last pass

  const compose = (entry: Entry): Maintenance => {
    const { spec, state, composed } = entry;
    const memory = progress.memory(spec.id, clock.now());
    // Of thousands most are as they were in the last pass.
    const object = spec.action ? entry.object : null;
    const same = composed?.spec === spec && composed.object === object;
    if (same && composed.maintenance.state === state && composed.maintenance.memory === memory) return composed.maintenance;
    // What the watch has brought, the API server has.
    const recorded = object && !entry.unborn ? stateOf(object) : undefined;
    const maintenance = { ...spec, state, memory, ...(recorded && { recorded }) };
    entry.composed = { maintenance, spec, object };
    return maintenance;
  };

  /** After each change of its phase. */
  const shelve = (entry: Entry) => {
    const { id, nodeName } = entry.spec;
    if (!terminalPhases.has(entry.state.phase)) live.set(id, entry);
    else {
      live.delete(id);
      upkeep.noteEnded(entry);
    }
    tellOfNode(nodeName);
  };
  const put = (entry: Entry) => {
    const { id, nodeName } = entry.spec;
    entries.set(id, entry);
    shelve(entry);
    const ids = byNode.get(nodeName);
    if (ids) ids.add(id);
    else byNode.set(nodeName, new Set([id]));
  };
  const drop = (id: string) => {
    const entry = entries.get(id);
    if (!entry) return;
    entry.cancelTimer?.();
    entries.delete(id);
    live.delete(id);
    tellOfNode(entry.spec.nodeName);
    const ids = byNode.get(entry.spec.nodeName);
    ids?.delete(id);
    if (ids?.size === 0) byNode.delete(entry.spec.nodeName);
    progress.forget(id);
  };
  function* onNode(nodeName: string): Iterable<Entry> {
    for (const id of byNode.get(nodeName) ?? []) yield entries.get(id) as Entry; // `put` and `drop` keep both alike
  }

  /** False once it was deleted, or replaced. */
  const isKnown = (entry: Entry) => entries.get(entry.spec.id) === entry;

  const { send, answered } = createBackgroundRequests(log);
  const { write, settle } = createStatusWriter({
    client,
    clock,
    mayAct,
    send,
    compose,
    gone: (id) => progress.gone(id),
    isKnown,
    active: () => active,
  });
  const upkeep = createUpkeep({
    client,
    clock,
    send,
    isNeeded(entry) {
      const { action, policy } = entry.spec;
      return action !== undefined && policy !== null && causeHeld(entry.written) && (options.holds?.(compose(entry)) ?? false);
    },
    onAgain(entry) {
      if (!isKnown(entry)) return;
      shelve(entry);
      onChange();
    },
  });

  const see = (object: NodeMaintenance) => {
    const id = object.metadata.name;
    const entry = entries.get(id);
    const spec = compileMaintenance(object, options.namespaces);
    if (entry?.unborn) {
      // What was decided meanwhile holds; an object that was there before, of before a crash, has a past of its own.
      const state = object.status ? stateOf(object) : entry.state;
      Object.assign(entry, { object, spec, state, written: object.status, unborn: false });
      shelve(entry);
      if (entry.decision) settle(entry, entry.decision);
      return;
    }
    if (!entry || entry.object === null || entry.object.metadata.uid !== object.metadata.uid) {
      const fresh: Entry = {
        object,
        spec,
        state: stateOf(object),
        written: object.status,
        ...idle(),
      };
      drop(id);
      put(fresh);
      progress.restore(id, object.status?.progress?.gone ?? 0, clock.now());
      return;
    }
    // The answer of our own patch may be ahead of the watch.
    if ((object.metadata.generation ?? 0) < (entry.object.metadata.generation ?? 0)) return;
    entry.object = object;
    entry.spec = spec;
    // Followers read the status; the leader has written it and is ahead of its own watch.
    if (!mayAct()) Object.assign(entry, { state: stateOf(object), written: object.status, decision: null, done: [] });
    shelve(entry);
  };

  /** What a request of our own has answered; the watch brings it a moment later. */
  const seeAnswer = (object: NodeMaintenance) => {
    const valid = validateMaintenance(object, log);
    if (valid) see(valid);
  };

  /**
   * The cordon need not wait for the answer to the creation: the node's journal names the maintenance, and one that never comes to be
   * is undone like one that is gone (`adopt`).
   */
  const beginUnborn = (body: NodeMaintenanceDraft, nodeName: string) => {
    if (careful.has(nodeName)) return;
    const metadata = { ...body.metadata, generation: 0, creationTimestamp: isoSeconds(clock.now()) };
    const object = validateMaintenance({ ...body, metadata } as NodeMaintenance, log);
    if (!object) return;
    put({
      ...idle(),
      object,
      spec: compileMaintenance(object, options.namespaces),
      state: stateOf(object),
      written: undefined,
      unborn: true,
    });
    progress.restore(metadata.name, 0, clock.now());
  };

  const patchSpec = async (id: string, spec: object) =>
    seeAnswer(
      await client.json<NodeMaintenance>({
        method: 'PATCH',
        path: maintenancePath(id),
        contentType: MERGE_PATCH,
        body: { spec },
      }),
    );

  return {
    list() {
      if (mayAct()) for (const entry of upkeep.dueEnded(entries)) if (isKnown(entry)) upkeep.keep(entry);
      const ready: Maintenance[] = [];
      active = 0;
      for (const entry of live.values()) {
        if (activePhases.has(entry.state.phase)) active += 1;
        if (mayAct()) upkeep.keep(entry);
        // Without the finalizer a deletion would leave the node as it is: it is not begun before.
        if (entry.object === null || hasFinalizer(entry.object)) ready.push(compose(entry));
      }
      return ready;
    },

    record(decision: Decision, now: Millis) {
      const entry = entries.get(decision.maintenance.id);
      if (!entry) return;
      const moved = decision.phase !== entry.state.phase;
      if (moved && decision.phase === 'Draining' && entry.state.phase === 'Pending') progress.begin(entry.spec.id);
      if (moved || decision.change)
        entry.state = { ...entry.state, phase: decision.phase, ...(moved && { phaseSince: now }), ...decision.change };
      const { approval } = decision;
      if (moved && approval) entry.done.push(approvalEntry(approval, entry.spec.id, now));
      if (moved) shelve(entry);
      if (decision.pods) progress.expect(entry.spec.id, decision.pods);
      if (terminalPhases.has(decision.phase) && entry.object === null) {
        drop(entry.spec.id);
        return;
      }
      entry.decision = decision;
      if (entry.object) settle(entry, decision);
    },

    noteDone(maintenance, effect, now) {
      const said = journalEntry(effect, maintenance, now);
      if (said) entries.get(maintenance.id)?.done.push(said);
    },

    async pause(maintenance, because) {
      const entry = entries.get(maintenance.id);
      if (!entry?.object || entry.pausing) return;
      entry.pausing = true;
      // It holds when the object says so, not before: the node's journal, which is how a restart would know, is taken off right after it.
      const request = () => patchSpec(maintenance.id, { paused: true, pausedBecause: because });
      const again = () => {
        entry.pausing = false;
        onChange();
      };
      if (await send(`pause nodemaintenance ${maintenance.id}`, request)) again();
      else clock.after(RETRY_MS, again);
    },

    announce({ id, nodeName }, change) {
      const entry = entries.get(id);
      // One that is not born yet is looked at again when it is.
      if (!entry?.object || entry.unborn || entry.announcing || !mayAct()) return;
      entry.announcing = true;
      void send(`announce to nodemaintenance ${id}`, () => patchSpec(id, change)).then((ok) => {
        const again = () => {
          entry.announcing = false;
          tellOfNode(nodeName);
          onChange();
        };
        if (ok) again();
        else clock.after(RETRY_MS, again);
      });
    },

    see,

    gone(name) {
      drop(name);
    },

    creating: () => creating,

    create(nodeName, nodeUid, match) {
      if (creating.has(nodeName) || !mayAct()) return;
      creating.add(nodeName);
      const name = nameOf(nodeName, nodeUid, match.policy.name, (taken) => entries.has(taken));
      const body = newMaintenance(name, nodeName, match);
      beginUnborn(body, nodeName);
      const request = async () => {
        await new Promise<void>((resolve) => clock.soon(resolve)); // after the cordon, which is what is waited for
        if (!mayAct()) return;
        const created = await client.json<NodeMaintenance>({ method: 'POST', path: collectionPath(maintenanceKind), body });
        if (entries.get(name)?.unborn ?? true) seeAnswer(created);
      };
      void send(`create nodemaintenance ${name}`, request).then((ok) => {
        const again = () => {
          creating.delete(nodeName);
          tellOfNode(nodeName);
          onChange();
        };
        if (ok) {
          careful.delete(nodeName);
          return again();
        }
        // After a failure not again before a moment has passed: the reason is usually a missing right.
        if (entries.get(name)?.unborn) drop(name);
        careful.add(nodeName);
        clock.after(RETRY_MS, again);
        onChange();
      });
    },

    of(nodeName) {
      for (const entry of onNode(nodeName)) if (!terminalPhases.has(entry.state.phase)) return compose(entry);
      return undefined;
    },

    adopt(id, nodeName) {
      const now = clock.now();
      const known = entries.get(id);
      const undoing = { phase: 'Undoing', phaseSince: now } as const;
      if (!known)
        put({
          ...idle(),
          object: null,
          spec: leftBehind(id, nodeName, now),
          state: { ...undoing, attempts: 0 },
          written: undefined,
        });
      // It has ended, and yet the node carries its marks: a patch landed while the process that sent it died.
      else if (terminalPhases.has(known.state.phase)) {
        known.state = { ...known.state, ...undoing };
        shelve(known);
      }
    },

    object: (id) => entries.get(id)?.object ?? undefined,

    reset() {
      for (const entry of entries.values()) {
        const { object, spec } = entry;
        if (!object) continue;
        entry.cancelTimer?.();
        Object.assign(entry, { state: stateOf(object), written: object.status, decision: null, done: [], cancelTimer: null });
        shelve(entry);
        progress.forget(spec.id);
        progress.restore(spec.id, object.status?.progress?.gone ?? 0, clock.now());
      }
    },

    isSpent(node, policy, notice) {
      // A maintenance older than the node was about another machine of that name.
      for (const { spec, state, written, decision } of onNode(node.name)) {
        if (spec.policy !== policy || spec.createdAt < node.createdAt || !terminalPhases.has(state.phase)) continue;
        // A machine that goes is another matter than what this one was about, unless it was about just that.
        if (notice?.goneAt !== undefined && spec.notice?.id !== notice.id) continue;
        if (decision ? decision.cause : causeHeld(written)) return true;
      }
      return false;
    },

    reviewEnded(nodeName, holds) {
      let isReviewed = true;
      for (const entry of onNode(nodeName)) {
        if (!entry.object || !terminalPhases.has(entry.state.phase)) continue;
        const held = entry.decision ? entry.decision.cause : causeHeld(entry.written);
        if (!held || holds(compose(entry))) continue;
        if (entry.writing) {
          isReviewed = false;
          continue;
        }
        const last = entry.decision ?? { maintenance: compose(entry), phase: entry.state.phase, pods: null, remaining: null };
        entry.decision = { ...last, cause: false };
        write(entry);
      }
      return isReviewed;
    },

    ...historyOf(() => entries.values()),

    async flush() {
      await answered(); // what was decided while these were on their way is written after them
      for (const entry of entries.values()) write(entry);
      await answered();
      for (const entry of entries.values()) entry.cancelTimer?.();
    },
  };
}
