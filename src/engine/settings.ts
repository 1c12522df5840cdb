/** The drain part of a policy with every duration in milliseconds: what the engine reads. The CLI builds one from its flags. */
import type { LabelSelector } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';

export type HandoverMode = 'Never' | 'WhenNeeded' | 'Always';

export interface PodRule {
  readonly podSelector: LabelSelector;
  /** Absent: every namespace. */
  readonly namespaces?: readonly string[];
  readonly do: 'Drain' | 'Skip' | 'WaitCompleted';
  readonly order?: number;
  readonly maxWaitMs?: Millis;
}

export interface LadderStep {
  readonly afterMs: Millis;
  readonly do: 'TellOwner' | 'Handover' | 'ShortenGrace' | 'Delete';
  readonly graceSeconds?: number;
}

/** How the deadline of a machine alters its drain. */
export interface Hurry {
  /** Pods do not wait for those of an earlier tier. */
  readonly allAtOnce: boolean;
  /** Budgets are kept for this share of the notice, and no longer; null: until a pod's grace has to begin. */
  readonly budgetShare: number | null;
  /** Pods have stopped so long before the machine goes. */
  readonly marginMs: Millis;
  /** When the notice came; absent: with the start of the drain. */
  readonly since?: Millis;
}

export interface DrainSettings {
  readonly graceSeconds?: number;
  readonly handover: HandoverMode;
  readonly handoverTimeoutMs: Millis;
  readonly unlist: boolean;
  readonly emptyDir: 'Evict' | 'Protect';
  readonly barePods: 'Evict' | 'Protect';
  /** Protect is kubectl's behaviour without --ignore-daemonsets. */
  readonly daemonSets: 'Skip' | 'Evict' | 'Protect';
  readonly rules: readonly PodRule[];
  /** From the start of the drain; the node is expected to be gone then. */
  readonly deadlineMs?: Millis;
  readonly ladder: readonly LadderStep[];
  readonly stepAsideMs: Millis;
  readonly attempts: number;
  readonly retryAfterMs: Millis;
  readonly emptyForMs: Millis;
  readonly waitForVolumes: boolean;
  /** null: an empty node counts as done at once. */
  readonly settleTimeoutMs: Millis | null;
  /** kubectl's --skip-wait-for-delete-timeout: a pod that is still there so long after its grace counts as gone. Absent: none does. */
  readonly skipDeletedAfterMs?: Millis;
  readonly excludeFromLoadBalancers: boolean;
  /** What a machine that goes adds (deadline-profile.ts); absent: nothing. */
  readonly hurry?: Hurry;
  /** kubectl's --disable-eviction: DELETE instead of eviction, around budgets. */
  readonly disableEviction: boolean;
}

export const defaultDrainSettings: DrainSettings = {
  handover: 'WhenNeeded',
  handoverTimeoutMs: 600_000,
  unlist: true,
  emptyDir: 'Evict',
  barePods: 'Protect',
  daemonSets: 'Skip',
  rules: [],
  ladder: [],
  stepAsideMs: 1_800_000,
  attempts: 5,
  retryAfterMs: 300_000,
  emptyForMs: 5_000,
  waitForVolumes: true,
  settleTimeoutMs: 600_000,
  excludeFromLoadBalancers: false,
  disableEviction: false,
};
