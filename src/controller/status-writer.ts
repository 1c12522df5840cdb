/** Writes the statuses of NodeMaintenances: urgent changes at once, progress at most every two seconds. Only the leader writes. */
import type { NodeMaintenanceStatus } from '../api/resources.ts';
import type { Decision } from '../engine/decide.ts';
import { type Maintenance, terminalPhases } from '../engine/maintenance.ts';
import type { KubeClient } from '../kube/client.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { maintenancePath } from './custom-kinds.ts';
import { causeHeld, withCause } from './ended.ts';
import type { Entry } from './maintenance-entry.ts';
import { mergePatch } from './merge-patch.ts';
import { isUrgent, soonMs, statusChanged, statusOf } from './status.ts';

export interface StatusWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly mayAct: () => boolean;
  readonly send: (what: string, request: () => Promise<unknown>) => Promise<boolean>;
  readonly compose: (entry: Entry) => Maintenance;
  /** Pods that have left in this try. */
  readonly gone: (id: string) => number;
  /** False once it was deleted, or replaced. */
  readonly isKnown: (entry: Entry) => boolean;
  /** Maintenances under way: the more, the longer a write may wait. */
  readonly active: () => number;
}

export interface StatusWriter {
  write(entry: Entry): void;
  /** At once what must be known at once, yet after what is to be done; the rest is gathered. */
  settle(entry: Entry, decision: Decision): void;
}

const RETRY_MS = 1_000;

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, clock, mayAct, send, compose, gone, isKnown, active } = options;

  const nextStatus = (entry: Entry, now: Millis): NodeMaintenanceStatus | undefined => {
    const { decision, object, written, done, spec } = entry;
    if (!decision || !object) return undefined;
    const facts = { entries: done, ...(object.metadata.generation !== undefined && { generation: object.metadata.generation }) };
    const told = statusOf({ ...decision, maintenance: compose(entry) }, written, now, gone(spec.id), facts);
    return terminalPhases.has(entry.state.phase) ? withCause(told, decision.cause, now) : told;
  };

  const write = (entry: Entry) => {
    const { id } = entry.spec;
    if (!entry.object || entry.unborn || entry.writing || entry.refused || !mayAct()) return;
    if (!isKnown(entry)) return; // deleted while an earlier write was on its way
    const status = nextStatus(entry, clock.now());
    if (!status || (statusChanged(entry.written, status) === 'No' && causeHeld(entry.written) === causeHeld(status))) return;
    entry.cancelTimer?.();
    Object.assign(entry, { cancelTimer: null, writing: true });
    const { decision, done } = entry;
    entry.done = [];
    const body = { status: mergePatch(entry.written, status) };
    const request = () => client.json({ method: 'PATCH', path: maintenancePath(id, 'status'), contentType: MERGE_PATCH, body });
    void send(`write the status of nodemaintenance ${id}`, request).then((ok) => {
      entry.writing = false;
      if (ok) {
        entry.written = status;
        if (entry.decision && entry.decision !== decision) settle(entry, entry.decision);
        return;
      }
      entry.done = [...done, ...entry.done];
      entry.refused = true;
      clock.after(RETRY_MS, () => {
        entry.refused = false;
        write(entry);
      });
    });
  };

  const settle: StatusWriter['settle'] = (entry, decision) => {
    if (!isUrgent(decision, entry.written)) {
      entry.cancelTimer ??= clock.after(soonMs(active()), () => {
        entry.cancelTimer = null;
        write(entry);
      });
      return;
    }
    if (entry.due) return;
    entry.due = true;
    clock.soon(() => {
      entry.due = false;
      write(entry);
    });
  };

  return { write, settle };
}
