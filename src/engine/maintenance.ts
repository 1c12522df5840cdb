/** One node's operation as the engine sees it: compiled from a NodeMaintenance object, or made by the command line. */
import type { Owner } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Approval } from './gates/gate.ts';
import type { DrainSettings } from './settings.ts';

export type Phase =
  | 'Pending'
  | 'Draining'
  | 'Settling'
  | 'Drained'
  | 'BackOff'
  | 'Undoing'
  | 'HandedBack'
  | 'Cancelled'
  | 'Failed';

export const terminalPhases: ReadonlySet<Phase> = new Set(['HandedBack', 'Cancelled', 'Failed']);
/** Phases in which the node is out because of us and its pods are not yet running elsewhere. */
export const activePhases: ReadonlySet<Phase> = new Set(['Draining', 'Settling', 'Undoing']);

export type ReasonType = 'Taint' | 'Condition' | 'Label' | 'Annotation' | 'Manual';

/** A pod that has left, as far as "is it Ready again?" needs it. */
export interface MovedPod {
  readonly namespace: string;
  readonly name: string;
  readonly owner: Owner;
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
  readonly state: MaintenanceState;
  /** Short-lived knowledge of this process; a restart loses it and is only more careful for it. */
  readonly memory: MaintenanceMemory;
}

/** The part that lives in the object's status. */
export interface MaintenanceState {
  readonly phase: Phase;
  readonly phaseSince: Millis;
  readonly startedAt?: Millis;
  readonly drainedAt?: Millis;
  readonly finishedAt?: Millis;
  readonly attempts: number;
  readonly retryAt?: Millis;
  readonly message?: string;
}

export interface MaintenanceMemory {
  /** When a pod last left. */
  readonly progressAt: Millis | null;
  readonly moved: readonly MovedPod[];
  /** null: not known (after a restart). */
  readonly movedClaims: boolean | null;
}
