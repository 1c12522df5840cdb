/**
 * The lifecycle conditions of a node under maintenance: MaintenancePlanned, DrainInProgress, Drained, MaintenanceInProgress, as
 * KEP-5683 names them (kubernetes/enhancements keps/sig-node/5683-lifecycle-conditions). Anyone may write them, so ours are told
 * apart by their reason: a condition of the same type with another reason is someone else's and is neither changed nor removed.
 */
import type { Node, NodeCondition } from '../api/objects.ts';
import type { Decision } from '../engine/decide.ts';
import { isoSeconds, readJournal } from '../engine/journal.ts';
import type { Phase } from '../engine/maintenance.ts';
import type { Millis } from '../lib/clock.ts';

export type ConditionType = 'MaintenancePlanned' | 'DrainInProgress' | 'Drained' | 'MaintenanceInProgress';

interface Wanted {
  readonly status: 'True' | 'False';
  readonly reason: `${typeof OWN}${string}`;
  readonly message: (of: Decision['maintenance']) => string;
}

type ConditionTable = { readonly [P in Phase]: { readonly [T in ConditionType]?: Wanted } | null };

/** A maintenance that has been Pending for so long is announced, by condition and by event. */
export const ANNOUNCE_AFTER_MS = 10_000;

const OWN = 'Drover';
const types: readonly ConditionType[] = ['MaintenancePlanned', 'DrainInProgress', 'Drained', 'MaintenanceInProgress'];

const planned: Wanted = { status: 'True', reason: 'DroverPlanned', message: ({ reason }) => `to be drained: ${reason}` };
const draining: Wanted = {
  status: 'True',
  reason: 'DroverDraining',
  message: ({ id }) => `being drained (NodeMaintenance ${id})`,
};

// The whole drain is one row, whatever it waits for: each change here is a request and an event for every watcher of nodes.
const whileDraining = { MaintenancePlanned: planned, DrainInProgress: draining };
// Rebooted, verified, or what a hook does: one row for the same reason.
const whileActing: { readonly [T in ConditionType]?: Wanted } = {
  MaintenancePlanned: { status: 'False', reason: 'DroverDrainCompleted', message: () => 'drained; the maintenance has begun' },
  DrainInProgress: { status: 'False', reason: 'DroverDrainCompleted', message: () => 'drained' },
  Drained: { status: 'True', reason: 'DroverDrainCompleted', message: ({ id }) => `drained (NodeMaintenance ${id})` },
  MaintenanceInProgress: { status: 'True', reason: 'DroverActing', message: ({ reason }) => `under maintenance: ${reason}` },
};
// Of a maintenance that is over nothing stays, or the node would not be as it was before.
const none = {};

const table: ConditionTable = {
  Pending: { MaintenancePlanned: planned },
  BackOff: { MaintenancePlanned: planned },
  Draining: whileDraining,
  Settling: whileDraining,
  BeforeHook: whileActing,
  Rebooting: whileActing,
  // The deletion names the resourceVersion that it saw: as with the undo, below.
  Deleting: null,
  Verifying: whileActing,
  AfterHook: whileActing,
  ActionFailed: {
    ...whileActing,
    MaintenanceInProgress: {
      status: 'True',
      reason: 'DroverActionFailed',
      message: ({ state }) => `out of service: ${state.message ?? 'what was done to it failed'}`,
    },
  },
  Drained: {
    MaintenancePlanned: { status: 'False', reason: 'DroverDrainCompleted', message: () => 'drained; the maintenance can begin' },
    DrainInProgress: { status: 'False', reason: 'DroverDrainCompleted', message: () => 'drained' },
    Drained: { status: 'True', reason: 'DroverDrainCompleted', message: ({ id }) => `drained (NodeMaintenance ${id})` },
    MaintenanceInProgress: {
      status: 'True',
      reason: 'DroverDrainCompleted',
      message: ({ reason }) => `out of service: ${reason}`,
    },
  },
  // The undo of the cordon names the resourceVersion that it saw; a patch from here would only make it fail and be repeated.
  Undoing: null,
  HandedBack: none,
  Cancelled: none,
  Failed: none,
};

export type ConditionPatch =
  | {
      readonly type: ConditionType;
      readonly status: 'True' | 'False';
      readonly reason: string;
      readonly message: string;
      readonly lastTransitionTime: string;
      readonly lastHeartbeatTime: string;
    }
  | { readonly type: ConditionType; readonly $patch: 'delete' };

export interface ConditionsPatch {
  readonly metadata: { readonly uid: string };
  readonly status: { readonly conditions: readonly ConditionPatch[] };
}

/** For PATCH .../nodes/NAME/status: conditions are a list keyed by `type` in a strategic merge patch, and in no other kind of patch. */
export const CONDITIONS_PATCH = 'application/strategic-merge-patch+json';

/**
 * The patch that makes the node's conditions say what the decision is; null when they do, or when it is too early. Until the watch
 * has brought its effect the same patch is answered again: the caller sends one at a time.
 */
export function conditionsPatch(
  decision: Pick<Decision, 'maintenance' | 'phase' | 'waitingFor'>,
  node: Node,
  now: Millis,
): ConditionsPatch | null {
  const { maintenance, phase } = decision;
  const wanted = table[phase];
  if (!wanted) return null;
  // As with the undo: the cordon goes first.
  if (wanted === whileDraining && !(node.unschedulable && readJournal(node)?.by === maintenance.id)) return null;
  const silent = phase === 'Pending' && (!decision.waitingFor || now < maintenance.state.phaseSince + ANNOUNCE_AFTER_MS);
  const changes = types.flatMap((type): ConditionPatch[] => {
    const has = node.conditions.find((each) => each.type === type);
    if (has && !isOwnCondition(has)) return [];
    const want = wanted[type];
    if (!want) return has ? [{ type, $patch: 'delete' }] : [];
    const { status, reason, message } = want;
    if (has ? has.status === status && has.reason === reason : silent) return [];
    const since = has?.status === status ? has.lastTransition : now;
    return [
      {
        type,
        status,
        reason,
        message: message(maintenance),
        lastTransitionTime: isoSeconds(since),
        lastHeartbeatTime: isoSeconds(now),
      },
    ];
  });
  return changes.length === 0 ? null : { metadata: { uid: node.uid }, status: { conditions: changes } };
}

/** Takes every condition of ours off a node that no maintenance is about any more. null when there is none. */
export function removeConditionsPatch(node: Node): ConditionsPatch | null {
  const conditions = types.flatMap((type): ConditionPatch[] =>
    node.conditions.some((each) => each.type === type && isOwnCondition(each)) ? [{ type, $patch: 'delete' }] : [],
  );
  return conditions.length === 0 ? null : { metadata: { uid: node.uid }, status: { conditions } };
}

/** A condition that Drover wrote. It must not count as a reason for a maintenance: it would keep its own node out of service. */
export function isOwnCondition({ type, reason }: Pick<NodeCondition, 'type' | 'reason'>): boolean {
  return reason.startsWith(OWN) && (types as readonly string[]).includes(type);
}
