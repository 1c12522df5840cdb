/** One drawn run: the cluster, what Drover is asked for, what people and machines do meanwhile, and what goes wrong. Plain data. */
import type { Millis } from '../../src/lib/clock.ts';
import type { DrainSpecInput } from './drain-input.ts';

export interface DrawnNode {
  readonly zone: number;
  readonly pool: 'old' | 'new';
  /** Cordoned by a person before anything begins. */
  readonly cordoned: boolean;
  /** A taint, a label and an annotation of somebody else. */
  readonly marked: boolean;
  readonly slowness: number;
  /** Called out for maintenance from the beginning, where a policy listens. */
  readonly calledOut: boolean;
}

export type Readiness = 'quick' | 'slow' | 'never';

/** `surplus` asks for one more than all pods: it never allows anything. */
export type DrawnBudget = 'none' | 'one-out' | 'none-out' | 'half-out' | 'one-stays' | 'all-stay' | 'surplus' | 'two-budgets';

export interface DrawnWorkload {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'Bare';
  readonly replicas: number;
  readonly strategy: 'surge' | 'no-surge' | 'recreate';
  readonly budget: DrawnBudget;
  readonly alwaysAllowUnhealthy: boolean;
  readonly service: boolean;
  readonly readiness: Readiness;
  readonly graceSeconds: number;
  readonly emptyDir: boolean;
  readonly hostPort: boolean;
  /** A finalizer on every pod: taken away 10 s after the deletion, or never. */
  readonly finalizer: 'none' | 'released' | 'kept';
  readonly minReadySeconds: number;
  /** Asks for half a node. */
  readonly big: boolean;
}

/** What is done to the empty node. `tries`: how many pods may be tried. */
export interface DrawnReboot {
  readonly delayBefore: string;
  readonly tries: number;
  readonly timeout: string;
  readonly healthyFor: string;
}

export interface DrawnPolicy {
  readonly selects: 'old' | 'new' | 'all';
  readonly maxNodes: number | string;
  readonly perZone: number | null;
  readonly minInterval: string;
  readonly priority: number;
  readonly reason: 'taint' | 'condition' | 'label';
  readonly handBack: 'WhenCauseClears' | 'Never';
  readonly drain: DrainSpecInput;
  /** null: it is drained, and no more. */
  readonly reboot: DrawnReboot | null;
}

export interface DrawnMaintenance {
  readonly at: Millis;
  readonly node: number;
  readonly priority: number;
  /** The machine goes so long after the creation; null: it stays. */
  readonly goneInMs: Millis | null;
  readonly handBack: 'WhenCauseClears' | 'Never';
  readonly drain: DrainSpecInput;
  readonly reboot: DrawnReboot | null;
}

/** `which` counts modulo what there is. */
export type Deed =
  | 'call-out'
  | 'call-off'
  | 'cordon'
  | 'uncordon'
  | 'mark'
  | 'unmark'
  | 'scale-up'
  | 'scale-down'
  | 'scale-to-zero'
  | 'roll-out'
  | 'delete-workload'
  | 'delete-maintenance'
  | 'cancel'
  | 'pause'
  | 'resume'
  | 'pause-policy'
  | 'resume-policy'
  | 'add-node'
  | 'delete-node'
  | 'node-dies'
  | 'node-hangs'
  | 'node-reboots'
  | 'delete-pod';

export interface DrawnDeed {
  readonly at: Millis;
  readonly do: Deed;
  readonly which: number;
}

export type Refusal = 409 | 410 | 429 | 500 | 504;

/** The `nth` request of its sort, counted over all processes of Drover. */
export interface RequestFault {
  readonly on: 'request';
  readonly of: 'write' | 'read';
  readonly nth: number;
  readonly does: Refusal | 'crash-before' | 'crash-after' | 'lose-request' | 'lose-answer' | 'delay';
}

export interface TimedFault {
  readonly on: 'time';
  readonly at: Millis;
  readonly lasts: Millis;
  readonly does:
    | 'cut-watches'
    | 'lag-watches'
    | 'crash'
    | 'freeze'
    | 'freeze-with-clock'
    | 'clock-forward'
    | 'clock-back'
    | 'outage';
}

export type DrawnFault = RequestFault | TimedFault;

export interface Case {
  readonly seed: number;
  readonly nodes: readonly DrawnNode[];
  readonly workloads: readonly DrawnWorkload[];
  readonly policies: readonly DrawnPolicy[];
  readonly byHand: readonly DrawnMaintenance[];
  readonly deeds: readonly DrawnDeed[];
  readonly faults: readonly DrawnFault[];
  /** Two, with an election; or one without. */
  readonly replicas: 1 | 2;
}
