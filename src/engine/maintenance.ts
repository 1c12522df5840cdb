/** One node's operation as the engine sees it: compiled from a NodeMaintenance object, or made by the command line. */
import type { Owner } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Acted, Action } from './action.ts';
import type { Approval } from './gates/gate.ts';
import type { DrainSettings } from './settings.ts';

export type Phase =
  | 'Pending'
  | 'Draining'
  | 'Settling'
  | 'BeforeHook'
  | 'Rebooting'
  | 'Deleting'
  | 'Verifying'
  | 'AfterHook'
  | 'Drained'
  | 'ActionFailed'
  | 'BackOff'
  | 'Undoing'
  | 'HandedBack'
  | 'Cancelled'
  | 'Failed';

export const terminalPhases: ReadonlySet<Phase> = new Set(['HandedBack', 'Cancelled', 'Failed']);
/** Phases in which something is done to the empty node. */
export const actingPhases: ReadonlySet<Phase> = new Set(['BeforeHook', 'Rebooting', 'Deleting', 'Verifying', 'AfterHook']);
/**
 * Phases in which the node is out because of us: its pods are not yet running elsewhere, or it is expected back soon. A node whose
 * reboot failed is one: while nobody has looked, the next one may fare no better.
 */
export const activePhases: ReadonlySet<Phase> = new Set(['Draining', 'Settling', ...actingPhases, 'ActionFailed', 'Undoing']);

export type ReasonType =
  | 'Taint'
  | 'Condition'
  | 'Label'
  | 'Annotation'
  | 'Signal'
  | 'ScheduledEvent'
  | 'Drift'
  | 'Age'
  | 'Manual';

/** A pod that has left, as far as "is it Ready again?" needs it. */
export interface MovedPod {
  readonly namespace: string;
  readonly name: string;
  readonly owner: Owner;
}

export interface MaintenanceNotice {
  readonly kind: string;
  readonly id: string;
  /** Going away, it means that nothing has happened. */
  readonly revocable: boolean;
  /** Windows and limits hold the node back until then; absent: not at all. */
  readonly heldUntil?: Millis;
}

export interface Maintenance {
  /** Name of the object; also what the node's journal names. */
  readonly id: string;
  readonly nodeName: string;
  readonly policy: string | null;
  readonly reasonType: ReasonType;
  readonly reason: string;
  readonly priority: number;
  readonly settings: DrainSettings;
  readonly handBack: 'WhenCauseClears' | 'Never';
  readonly paused: boolean;
  readonly pausedBecause: string;
  readonly cancelled: boolean;
  /** The windows of its policy do not hold it back. */
  readonly runNow: boolean;
  /** `drover approve`. */
  readonly approval?: Approval;
  readonly createdAt: Millis;
  readonly goneAt?: Millis;
  /** What was announced for the machine; absent: nothing, or a person has set `goneAt`. */
  readonly notice?: MaintenanceNotice;
  /** Absent: it is drained, and no more. */
  readonly action?: Action;
  /** What of the state the API server is known to have. Only where there is an action: nothing is done to the node before. */
  readonly recorded?: Recorded;
  readonly state: MaintenanceState;
  /** Short-lived knowledge of this process; a restart loses it and is only more careful for it. */
  readonly memory: MaintenanceMemory;
}

export type Recorded = Pick<MaintenanceState, 'drainedAt' | 'action'>;

/** The part that lives in the object's status. */
export interface MaintenanceState {
  readonly phase: Phase;
  readonly phaseSince: Millis;
  readonly startedAt?: Millis;
  readonly drainedAt?: Millis;
  readonly finishedAt?: Millis;
  readonly attempts: number;
  readonly retryAt?: Millis;
  readonly action?: Acted;
  readonly message?: string;
}

export interface MaintenanceMemory {
  /** When a pod last left. */
  readonly progressAt: Millis | null;
  readonly moved: readonly MovedPod[];
  /** null: not known (after a restart). */
  readonly movedClaims: boolean | null;
}

/** A machine that goes, so soon that its node waits for no window, no place and no other node. */
export function isPressing(
  { goneAt, heldUntil }: { readonly goneAt?: Millis | undefined; readonly heldUntil?: Millis | undefined },
  now: Millis,
): boolean {
  return goneAt !== undefined && (heldUntil === undefined || now >= heldUntil);
}
